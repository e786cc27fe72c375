"""Targets that are nearly all zeros."""

from __future__ import annotations

import numpy as np

from unstuck.experiments.interventions.loss_scale import SumOverOutputs
from unstuck.finding import Evidence
from unstuck.measure.contract import Contract
from unstuck.measure.data import Data
from unstuck.measure.replay import Replay
from unstuck.measure.seen import gathered, loss_at_chance
from unstuck.measure.setup import Setup
from unstuck.measure.skill import Skill
from unstuck.measure.task import Task
from unstuck.rules.rule import Cleared, Example, NotApplicable, Rule, Suspect

ZEROS = 0.95
"""Share of zeros among the targets from which answering 0 has a loss that looks solved (catalogue DAT111)."""
LEARNT = 0.1
"""Skill from which the network does better than a constant answer, whatever its loss looks like."""
COLUMNS = 10
"""Targets a row from which a mean over them dilutes what the few that are not 0 ask for."""


class SparseTargets(Rule):
    """The targets are nearly all 0, and the network does no better than a constant answer.

    What it finds
    Rows of many targets (labels, heatmaps, pixels) of which 95 % or more are 0, on which the network does no better
    than a constant answer.

    Why training stops
    The loss is a mean over all targets of a row. Answering 0 makes it small at once; what the few others ask for is
    divided by the number of all, and the steps become too short to get there.

    What you see
    A loss of 0.003 from the first epoch, an accuracy near 1, and predictions that are 0 everywhere.

    How it is proven
    The loss is put beside that of answering 0. The same network is trained from the same seeds with the loss summed
    over the targets of a row.

    When to ignore it
    When the network does better than a constant answer: then the rule is cleared. With Adam, which rescales its steps,
    summing changes little, and trials decide.

    References
    keras-team/keras#4431, #3687; Lin et al. 2017, Focal Loss for Dense Object Detection.
    """

    code = "DAT111"
    severity = "error"
    echo_of = ("constant-target", "everything-frozen", "blank-inputs", "dead-relu-output", "tiny-targets")
    sick = Example(
        """
maps, maps_val = np.zeros((len(y), 10, 10), "float32"), np.zeros((len(y_val), 10, 10), "float32")
maps[np.arange(len(y)), y, y] = 1
maps_val[np.arange(len(y_val)), y_val, y_val] = 1
model = keras.Sequential([
    keras.layers.Flatten(),
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(100),
    keras.layers.Reshape((10, 10)),
])
model.compile(keras.optimizers.SGD(0.02), loss="mse")
model.fit(x, maps, epochs=6, validation_data=(x_val, maps_val), verbose=0)
""",
        data="images",
    )
    healthy = Example(
        """
maps, maps_val = np.zeros((len(y), 10, 10), "float32"), np.zeros((len(y_val), 10, 10), "float32")
maps[np.arange(len(y)), y, y] = 1
maps_val[np.arange(len(y_val)), y_val, y_val] = 1
model = keras.Sequential([
    keras.layers.Flatten(),
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(100),
    keras.layers.Reshape((10, 10)),
])
model.compile("adam", loss="mse")
model.fit(x, maps, epochs=15, validation_data=(x_val, maps_val), verbose=0)
""",
        data="images",
    )

    def check(
        self, setup: Setup, contract: Contract, data: Data, task: Task, skill: Skill, replay: Replay | None
    ) -> Cleared | NotApplicable | Suspect:
        columns = int(np.prod(data.y.shape[1:]))
        if task.is_classes or columns < COLUMNS or not contract.single or setup.custom_train_step:
            return NotApplicable("the targets are not many numbers a row")
        zeros = float((data.y == 0).mean())
        if not ZEROS <= zeros < 1:
            return Cleared(f"{zeros:.0%} of the targets are 0", zeros, ZEROS)
        if not skill.best <= LEARNT:
            return Cleared(
                f"the network does better than a constant answer (skill {skill.best:.2f})", skill.best, LEARNT
            )
        size = float((data.y.astype(np.float64) ** 2).mean())
        return Suspect(
            message=f"{zeros:.1%} of the targets are 0, and the network does no better than a constant answer",
            location=setup.sources.argument(setup.sites["fit"], "y", 1, label=f"{zeros:.1%} zeros")
            or setup.fit_location(),
            related=(setup.loss_location(f"a mean over {columns} targets"),),
            evidence=gathered(
                Evidence(
                    measure="zero-targets",
                    text=f"{zeros:.1%} of {columns} targets a row are 0; their mean square is {size:.3g}",
                    value=zeros,
                    expected=ZEROS,
                ),
                loss_at_chance(skill),
                _largest(replay),
            ),
            cures=(SumOverOutputs(columns),),
            leads_to=("learning-rate-too-low", "too-few-updates", "model-too-small", "class-imbalance", "tiny-targets"),
        )


def _largest(replay: Replay | None) -> Evidence | None:
    if replay is None or not replay.held_outputs.size:
        return None
    top = float(replay.held_outputs.max())
    return Evidence(measure="largest-output", text=f"the largest held-out answer is {top:.2g}", value=top, expected=1.0)
