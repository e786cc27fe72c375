"""A linear output under a loss that wants probabilities."""

from __future__ import annotations

import numpy as np

from unstuck.experiments.interventions.from_logits import SetFromLogits
from unstuck.experiments.interventions.head import ReplaceHead
from unstuck.finding import Evidence
from unstuck.measure.contract import Contract, output_units, plain_output, probabilities
from unstuck.measure.replay import Replay
from unstuck.measure.seen import gathered, loss_at_chance
from unstuck.measure.setup import BINARY, CATEGORICAL, SPARSE, Setup
from unstuck.measure.skill import Skill
from unstuck.rules.rule import Cleared, Example, NotApplicable, Rule, Suspect


class MissingOutputActivation(Rule):
    """The output is linear, and the loss takes it for probabilities.

    What it finds
    An output without an activation under binary or categorical cross-entropy with from_logits=False.

    Why training stops
    Keras clips the outputs to [1e-7, 1 - 1e-7] before the logarithm. Where an output lies outside, its gradient is 0: a
    row that is wrong by far costs 15.9 and teaches nothing. Outputs over several classes are divided by their sum,
    which means nothing when some are negative.

    What you see
    A high and jumpy loss (1 to 9), a run that is stuck with one seed and fine with another, predictions outside 0 to 1,
    now and then NaN.

    How it is proven
    The same network with the activation, and with from_logits=True, is trained from the same seeds. Some runs learn
    nevertheless; those are cleared.

    When to ignore it
    When the last layer gives probabilities by itself.

    References
    keras/src/backend/jax/nn.py (binary_crossentropy). Questions 64395424 and 57407973 on Stack Overflow;
    keras-team/keras#4744; tensorflow/docs#2102.
    """

    code = "OUT107"
    severity = "error"
    sick = Example(
        """
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(3),
])
model.compile("adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=20, validation_data=(x_val, y_val), verbose=0)
""",
        data="three-classes",
    )
    healthy = Example(
        """
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(3, activation="softmax"),
])
model.compile(keras.optimizers.Adam(0.01), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=20, validation_data=(x_val, y_val), verbose=0)
""",
        data="three-classes",
    )

    def check(
        self, setup: Setup, contract: Contract, replay: Replay | None, skill: Skill | None
    ) -> Cleared | NotApplicable | Suspect:
        loss, head = setup.loss, setup.head
        if loss.name not in BINARY | CATEGORICAL | SPARSE or loss.custom:
            return NotApplicable("the loss does not take probabilities")
        if not contract.single or setup.custom_train_step:
            return NotApplicable("the loss and the output cannot be paired (several outputs, or an own training step)")
        if loss.from_logits:
            return Cleared("the loss takes logits")
        if head.activation != "linear":
            return Cleared(f"the output ends with {head.activation}")
        if probabilities(setup) is not None:
            return NotApplicable("probabilities are made, and changed after: see layer-after-output-activation")
        if not plain_output(setup):
            return NotApplicable("what follows the last layer with weights may give probabilities")
        if output_units(setup, contract) == 1 and loss.name not in BINARY:
            return NotApplicable("one unit under a categorical loss: see categorical-loss-on-one-unit")
        activation = "sigmoid" if loss.name in BINARY else "softmax"
        clipped = replay is not None and replay.gradient_zero and replay.loss_change > 0
        message = f"the output is linear, and {loss.name.replace('_', ' ')} takes it for probabilities"
        return Suspect(
            message=message,
            confidence="proven" if clipped else "likely",
            location=setup.layer_location(head.layer, label=f"no {activation}"),
            related=(setup.loss_location("wants probabilities, or from_logits=True"),),
            evidence=gathered(_outside(replay), loss_at_chance(skill)),
            scope={"layer": head.layer.name},
            cures=(ReplaceHead(activation), SetFromLogits(value=True)),
            harmless=message,
            conclusion="on every recorded row the loss clips the output, and its gradient is exactly 0"
            if clipped
            else "",
            leads_to=(
                "saturated-loss-clip",
                "silent-missing-gradient",
                "too-few-updates",
                "learning-rate-too-high",
                "diverging-loss",
                "vanishing-gradient",
                "momentum-oscillation",
                "accuracy-on-logits",
            ),
        )


def _outside(replay: Replay | None) -> Evidence | None:
    if replay is None or not len(replay.train_outputs):
        return None
    outputs = replay.train_outputs.reshape(len(replay.train_outputs), -1)
    share = float(((outputs < 0) | (outputs > 1) | ~np.isfinite(outputs)).any(axis=1).mean())
    text = (
        f"{share:.0%} of the training rows get outputs outside 0 to 1 (from {outputs.min():.3g} to {outputs.max():.3g})"
    )
    return Evidence(measure="outputs-outside-unit-interval", text=text, value=share, expected=0.0)
