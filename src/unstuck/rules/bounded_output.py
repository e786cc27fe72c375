"""An output whose range the targets leave."""

from __future__ import annotations

import numpy as np

from unstuck.experiments.intervention import Intervention, Together
from unstuck.experiments.interventions.head import ReplaceHead
from unstuck.experiments.interventions.standardise import StandardiseTargets
from unstuck.finding import Evidence
from unstuck.measure.contract import UNPAIRED, Contract, paired, plain_output, width_of_activation
from unstuck.measure.data import Data
from unstuck.measure.network.reach import LARGE_SHARE, SMALL_SHARE, Reach
from unstuck.measure.replay import Replay
from unstuck.measure.room import Room
from unstuck.measure.seen import floor_of_range, gathered
from unstuck.measure.setup import SQUARED, Setup
from unstuck.measure.task import Task
from unstuck.rules.rule import Cleared, Example, NotApplicable, Rule, Suspect

PINNED = 0.01
"""An output within 1 % of a bound counts as pinned there, as the replay counts saturation."""


class BoundedOutput(Rule):
    """The output is bounded, and targets lie beyond the bounds.

    What it finds
    A regression output that ends with sigmoid, tanh, softmax or another bounded activation, with targets outside its
    range; of softmax also rows of targets that do not sum to 1.

    Why training stops
    A target beyond the bound is answered by the bound at best. The activation saturates there, its slope is 0, and the
    gradient of those rows is gone.

    What you see
    A loss that stops at the error of the clipped targets; predictions pinned at 0, 1 or -1.

    How it is proven
    By the range of the activation: the squared error of the nearest values it can give is a floor. The same network
    with a linear output is trained from the same seeds.

    When to ignore it
    When the targets beyond the range are outliers that should be cut off.

    References
    keras/src/activations/activations.py. keras-team/keras#108; questions 48976413 and 48221692 on Stack Overflow.
    """

    code = "OUT113"
    severity = "error"
    sick = Example(
        """
y, y_val = 5 * y + 20, 5 * y_val + 20
model = keras.Sequential([
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.Adam(0.01), loss="mse")
model.fit(x, y, epochs=20, validation_data=(x_val, y_val), verbose=0)
""",
        data="regression",
    )
    healthy = Example(
        """
low, high = y.min() - 1, y.max() + 1
y, y_val = (y - low) / (high - low), (y_val - low) / (high - low)
model = keras.Sequential([
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.Adam(0.01), loss="mse")
model.fit(x, y, epochs=6, validation_data=(x_val, y_val), verbose=0)
""",
        data="regression",
    )

    def check(
        self,
        setup: Setup,
        contract: Contract,
        data: Data,
        task: Task,
        reach: Reach | None,
        replay: Replay | None,
        room: Room | None,
    ) -> Cleared | NotApplicable | Suspect:
        head = setup.head
        if task.kind != "regression" or setup.loss.name not in SQUARED or setup.loss.custom:
            return NotApplicable("the task is not regression under a squared or absolute loss")
        if not paired(setup, contract):
            return NotApplicable(UNPAIRED)
        if reach is None or not np.isfinite(reach.high) or not plain_output(setup):
            return Cleared(f"the output ends with {head.activation}, which has no upper bound")
        if head.activation == "softmax" and width_of_activation(setup) == 1:
            return NotApplicable("softmax over one unit: see softmax-on-one-unit")
        if reach.share < SMALL_SHARE:
            said = f"{reach.outside:.0%} of the targets lie outside {reach.low:g} to {reach.high:g}"
            return Cleared(f"{said}, {reach.share:.1%} of the variance", reach.share, SMALL_SHARE)
        proven = reach.share >= LARGE_SHARE
        low, high = float(np.nanmin(data.y)), float(np.nanmax(data.y))
        message = (
            f"the output lies between {reach.low:g} and {reach.high:g}, the targets between {low:.3g} and {high:.3g}"
        )
        if reach.sums_to_one:
            sums = data.y.sum(axis=1)
            message = (
                f"softmax makes each row sum to 1; those of the targets sum to {sums.min():.3g} to {sums.max():.3g}"
            )
        return Suspect(
            message=message,
            confidence="proven" if proven else "likely",
            severity="warning" if room is not None and not room.exists else "error",
            location=setup.layer_location(head.activation_layer, "activation", 1, f"{reach.low:g} to {reach.high:g}"),
            related=(
                setup.sources.argument(setup.sites["fit"], "y", 1, label=f"{low:.3g} to {high:.3g}"),
                setup.loss_location(),
            ),
            evidence=gathered(floor_of_range(reach), _pinned(replay, reach)),
            scope={"layer": head.layer.name},
            cures=_cures(reach),
            conclusion=f"no weights bring the squared error below {reach.floor:.4g}, {reach.share:.0%} of the variance"
            if proven
            else "",
            leads_to=(
                "unscaled-targets",
                "saturated-activation",
                "vanishing-gradient",
                "learning-rate-too-low",
                "learning-rate-too-high",
                "model-too-small",
                "too-few-updates",
                "accuracy-on-regression",
            ),
        )


def _cures(reach: Reach) -> tuple[Intervention, ...]:
    """A linear output; where the targets lie far off, scaled ones with it, as no output starts anywhere near them."""
    linear = ReplaceHead("linear")
    return (linear, Together((linear, StandardiseTargets()))) if reach.share > 1 else (linear,)


def _pinned(replay: Replay | None, reach: Reach) -> Evidence | None:
    if replay is None or not replay.train_outputs.size or not np.isfinite(replay.train_outputs).all():
        return None
    near = PINNED * (reach.high - reach.low)
    outputs = replay.train_outputs
    share = float(((outputs <= reach.low + near) | (outputs >= reach.high - near)).mean())
    text = f"{share:.0%} of the outputs are within 1 % of a bound"
    return Evidence(measure="outputs-at-a-bound", text=text, value=share, expected=0.0)
