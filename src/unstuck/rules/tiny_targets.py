"""Regression targets so small that any loss looks like zero."""

from __future__ import annotations

import numpy as np

from unstuck.experiments.interventions.learning_rate import ScaleLearningRate
from unstuck.experiments.interventions.standardise import StandardiseTargets
from unstuck.finding import Evidence
from unstuck.measure.contract import Contract
from unstuck.measure.data import Data
from unstuck.measure.seen import gathered
from unstuck.measure.setup import SQUARED, Setup
from unstuck.measure.skill import Skill
from unstuck.measure.task import Task
from unstuck.rules.rule import Cleared, Example, NotApplicable, Rule, Suspect

SMALL = 0.05
"""Standard deviation of the targets below which always answering the mean has a squared error under 0.0025, which
people and loss curves read as 0 (catalogue DAT106)."""
SOLVED = 0.9
"""R2 from which the scale of the targets has visibly not stood in the way."""


class TinyTargets(Rule):
    """The loss is small because the targets are, not because the network is good.

    What it finds
    Regression targets with a standard deviation below 0.05 under a squared or absolute loss.

    Why training stops
    A squared error has the units of the target squared. With targets of 0.001 the mean alone has a loss of 1e-6; what
    the initial weights add to that is a thousand times larger, and gradients are as small as the targets.

    What you see
    A loss of 1e-4 or 1e-6 from the first epochs, printed as nearly 0, with predictions that are constant or noise: R2
    at or below 0.

    How it is proven
    The loss is put beside that of always answering the mean. The same network is trained from the same seeds on
    standardised targets, its answers mapped back before scoring.

    When to ignore it
    When R2 is good; then the rule is cleared.

    References
    keras-team/keras#2139; tensorflow/tensorflow#62804; question 50914860 on Stack Overflow.
    """

    code = "DAT106"
    severity = "error"
    echo_of = ("constant-target", "everything-frozen", "non-finite-inputs")
    sick = Example(
        """
y, y_val = 0.001 * y, 0.001 * y_val
model = keras.Sequential([
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(1),
])
model.compile("adam", loss="mse")
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
        self, setup: Setup, contract: Contract, data: Data, task: Task, skill: Skill | None
    ) -> Cleared | NotApplicable | Suspect:
        if task.kind != "regression" or setup.loss.name not in SQUARED or setup.loss.custom:
            return NotApplicable("the task is not regression under a squared or absolute loss")
        if not contract.single or setup.custom_train_step or "percentage" in setup.loss.name:
            return NotApplicable("the size of the targets does not decide (several outputs, own step, relative loss)")
        spread = float(np.sqrt(task.variance))
        if not np.isfinite(spread) or spread == 0:
            return NotApplicable("the targets do not vary: see constant-target")
        if spread >= SMALL:
            return Cleared(f"the targets have the standard deviation {spread:.3g}", spread, SMALL)
        if skill is not None and skill.best >= SOLVED:
            return Cleared(f"R2 is {skill.best:.2f} with targets of the size {spread:.2g}", skill.best, SOLVED)
        return Suspect(
            message=f"the loss is small because the targets are: their standard deviation is {spread:.2g}",
            confidence="likely",
            location=setup.sources.argument(setup.sites["fit"], "y", 1, label="these targets") or setup.fit_location(),
            related=(setup.loss_location("in units of the target"),),
            evidence=gathered(
                _worse_than_mean(skill),
                Evidence(
                    measure="target-spread",
                    value=spread,
                    expected=1.0,
                    text=f"targets: mean {np.nanmean(task.y):.3g}, standard deviation {spread:.2g}",
                ),
                _r2(skill),
            ),
            cures=(
                StandardiseTargets(centre=setup.head.activation not in ("relu", "softplus", "sigmoid", "exponential")),
            ),
            rivals=(ScaleLearningRate(10), ScaleLearningRate(0.1)),
            leads_to=(
                "learning-rate-too-high",
                "learning-rate-too-low",
                "too-few-updates",
                "sparse-targets",
                "dead-relu-output",
                "model-too-small",
            ),
        )


def _worse_than_mean(skill: Skill | None) -> Evidence | None:
    if skill is None or not np.isfinite([skill.evaluated_loss, skill.constant_loss]).all() or skill.constant_loss <= 0:
        return None
    loss, mean = skill.evaluated_loss, skill.constant_loss
    times = f"{loss / mean:.3g} times that" if loss > mean else f"{loss / mean:.0%} of that"
    text = f"always answering the mean has a loss of {mean:.2g}; the network ended at {loss:.2g}, {times}"
    return Evidence(measure="loss-beside-mean", text=text, value=loss, expected=mean)


def _r2(skill: Skill | None) -> Evidence | None:
    if skill is None or not np.isfinite(skill.best):
        return None
    return Evidence(
        measure="r2",
        text=f"R2 is {skill.best:.2f}: 0 is the mean, 1 is perfect",
        value=skill.best,
        expected=1.0,
    )
