"""An output that cannot be negative for targets that are."""

from __future__ import annotations

import numpy as np

from unstuck.experiments.interventions.head import ReplaceHead
from unstuck.measure.contract import UNPAIRED, Contract, paired, plain_output
from unstuck.measure.data import Data
from unstuck.measure.network.reach import LARGE_SHARE, SMALL_SHARE, Reach
from unstuck.measure.replay import Replay
from unstuck.measure.room import Room
from unstuck.measure.seen import floor_of_range, gathered, same_answer
from unstuck.measure.setup import SQUARED, Setup
from unstuck.measure.task import Task
from unstuck.rules.rule import Cleared, Example, NotApplicable, Rule, Suspect


class ReluOutputNegativeTargets(Rule):
    """The output cannot fall below 0, and targets do.

    What it finds
    A regression output that ends with relu, softplus or exponential while targets are negative.

    Why training stops
    No weights make the output negative, so negative targets are answered by 0 at best. Once a ReLU output is 0 for all
    rows it has no gradient and stays there.

    What you see
    A loss that stops at the mean square of the negative targets or above; predictions that are never below 0; with some
    seeds all of them 0 from the first epoch.

    How it is proven
    By the range of the activation: the mean square of what lies below it is a floor. The same network with a linear
    output is trained from the same seeds.

    When to ignore it
    When the negative targets are errors of measurement, and 0 is the right answer to them.

    References
    keras/src/activations/activations.py. Questions 48251943, 60801900 and 59758722 on Stack Overflow.
    """

    code = "OUT112"
    severity = "error"
    sick = Example(
        """
model = keras.Sequential([
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(1, activation="relu"),
])
model.compile(keras.optimizers.Adam(0.01), loss="mse")
model.fit(x, y, epochs=20, validation_data=(x_val, y_val), verbose=0)
""",
        data="regression",
    )
    healthy = Example(
        """
model = keras.Sequential([
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(1),
])
model.compile("adam", loss="mse")
model.fit(x, y, epochs=20, validation_data=(x_val, y_val), verbose=0)
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
        if reach is None or np.isfinite(reach.high) or reach.low != 0 or not plain_output(setup):
            return Cleared(f"the output ends with {head.activation}, which is not bounded by 0 alone")
        if reach.share < SMALL_SHARE:
            said = f"{reach.outside:.0%} of the targets are negative, {reach.share:.1%} of the variance"
            return Cleared(said, reach.share, SMALL_SHARE)
        proven = reach.share >= LARGE_SHARE
        return Suspect(
            message=f"the output ends with {head.activation} and cannot be negative; {reach.outside:.0%} of the targets"
            " are",
            confidence="proven" if proven else "likely",
            severity="warning" if room is not None and not room.exists else "error",
            location=setup.layer_location(head.activation_layer, "activation", 1, "never below 0"),
            related=(
                setup.sources.argument(setup.sites["fit"], "y", 1, label=f"down to {np.nanmin(data.y):.3g}"),
                setup.loss_location(),
            ),
            evidence=gathered(floor_of_range(reach), same_answer(replay)),
            scope={"layer": head.layer.name},
            cures=(ReplaceHead("linear"),),
            conclusion=f"no weights bring the squared error below {reach.floor:.4g}, {reach.share:.0%} of the variance"
            if proven
            else "",
            leads_to=(
                "dead-relu-output",
                "learning-rate-too-low",
                "learning-rate-too-high",
                "vanishing-gradient",
                "model-too-small",
                "dying-relu",
            ),
        )
