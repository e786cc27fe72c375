"""A whole sequence of answers for one target."""

from __future__ import annotations

from unstuck.experiments.intervention import Intervention
from unstuck.experiments.interventions.last_step import LastStep
from unstuck.finding import Evidence
from unstuck.measure.contract import UNKNOWN_SHAPES, UNPAIRED, Contract, by_row, output_shape, paired
from unstuck.measure.replay import Replay
from unstuck.measure.seen import fit_raised, gathered
from unstuck.measure.setup import Layer, Setup
from unstuck.rules.rule import Cleared, Example, NotApplicable, Rule, Suspect


class SequenceOutputForSingleTarget(Rule):
    """The network answers at every time step, and there is one target for the whole sequence.

    What it finds
    An output with a time axis, (rows, steps, units), and targets without one.

    Why training stops
    The single target is broadcast over time: the first step, which has seen next to nothing, must give the same answer
    as the last. Their error is averaged, and most of it cannot be learnt. Nothing raises.

    What you see
    A loss that stays high, and a predict() that gives one answer a time step.

    How it is proven
    By the two shapes. With the last step only, the same network is trained from the same seeds.

    When to ignore it
    When an answer at every step is wanted, as early as it can be had.

    References
    keras/src/layers/rnn/rnn.py (return_sequences); keras/src/losses/loss.py. keras-team/keras#3687.
    """

    code = "OUT121"
    severity = "error"
    sick = Example(
        """
def rows_of_pixels(images):
    return images.reshape(-1, 8, 8)

ink, ink_val = x[:400].mean((1, 2)), x_val.mean((1, 2))
y, y_val = (ink - ink.mean()) / ink.std(), (ink_val - ink.mean()) / ink.std()
model = keras.Sequential([
    keras.layers.SimpleRNN(16, return_sequences=True),
    keras.layers.Dense(1),
])
model.compile(keras.optimizers.Adam(0.01), loss="mse")
model.fit(rows_of_pixels(x[:400]), y, epochs=10, validation_data=(rows_of_pixels(x_val), y_val), verbose=0)
""",
        data="images",
    )
    healthy = Example(
        """
def rows_of_pixels(images):
    return images.reshape(-1, 8, 8)

ink, ink_val = x[:400].mean((1, 2)), x_val.mean((1, 2))
y, y_val = (ink - ink.mean()) / ink.std(), (ink_val - ink.mean()) / ink.std()
model = keras.Sequential([
    keras.layers.SimpleRNN(16),
    keras.layers.Dense(1),
])
model.compile(keras.optimizers.Adam(0.01), loss="mse")
model.fit(rows_of_pixels(x[:400]), y, epochs=10, validation_data=(rows_of_pixels(x_val), y_val), verbose=0)
""",
        data="images",
    )

    def check(self, setup: Setup, contract: Contract, replay: Replay | None) -> Cleared | NotApplicable | Suspect:
        if not paired(setup, contract):
            return NotApplicable(UNPAIRED)
        if setup.loss.custom:
            return NotApplicable("a loss of your own may choose the step that it compares")
        layer = _last_recurrent(setup)
        labels, output = contract.label_shape, output_shape(contract, replay)
        if labels is None or output is None:
            return NotApplicable(UNKNOWN_SHAPES)
        if len(output) != 3 or layer is None:
            return NotApplicable("the output has no time axis from a recurrent layer")
        steps = output[1] or (replay.train_outputs.shape[1] if replay and replay.train_outputs.ndim == 3 else None)
        columns = labels[1] if len(labels) == 2 else 1
        per_row = len(labels) <= 2 and columns in (1, output[2]) and columns != steps
        if not per_row or steps in (1, None):
            return Cleared("the targets have a time axis, as the output has")
        return Suspect(
            message=f"the output has {steps} time steps, and each row has one target",
            confidence="proven",
            location=setup.layer_location(layer, "return_sequences", label=f"gives all {steps} steps"),
            related=(setup.sources.argument(setup.sites["fit"], "y", 1, label="one target a row"),),
            evidence=gathered(
                Evidence(
                    measure="answers-a-row",
                    text=f"the output has the shape {by_row((None, steps, output[2]))}, the targets {by_row(labels)}",
                    value=float(steps or 0),
                    expected=1.0,
                ),
                fit_raised(contract),
            ),
            scope={"layer": layer.name},
            cures=_cures(layer),
            conclusion="the one target of a row is repeated for every time step, and predict() gives that many answers",
            leads_to=(
                "label-format-mismatch",
                "broadcast-target",
                "broadcast-loss",
                "learning-rate-too-low",
                "too-few-updates",
                "model-too-small",
                "no-signal",
            ),
        )


def _last_recurrent(setup: Setup) -> Layer | None:
    """The last layer that gives a whole sequence on request."""
    found = [layer for layer in setup.layers if layer.returns_sequences]
    return found[-1] if found else None


def _cures(layer: Layer) -> tuple[Intervention, ...]:
    return (LastStep(layer.name),)
