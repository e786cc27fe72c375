"""Accuracy as the metric of a regression."""

from __future__ import annotations

import numpy as np

from unstuck.experiments.source_edits import set_metrics
from unstuck.finding import Evidence
from unstuck.measure.contract import Contract
from unstuck.measure.data import Data
from unstuck.measure.seen import gathered
from unstuck.measure.setup import Setup
from unstuck.measure.skill import Skill
from unstuck.measure.task import COUNTING, Task
from unstuck.measure.training.logs import Logs
from unstuck.rules.rule import Cleared, Example, NotApplicable, Rule, Suspect

ACCURACIES = COUNTING | {"categorical_accuracy"}
MANY = 20
"""Distinct target values above which equality says nothing: a guess at random is right in one row of twenty at most."""


class AccuracyOnRegression(Rule):
    """Accuracy counts exact equality, and targets that are numbers are never hit exactly.

    What it finds
    Accuracy among the metrics of a network whose targets are numbers.

    Why training stops
    It does not: the metric says nothing about it. Accuracy counts the rows whose answer equals the target, or compares
    which column is largest.

    What you see
    accuracy: 0.0000e+00, or another constant, for ever, while the loss falls.

    How it is proven
    By the definition of the metric and the targets. R2 of the recorded predictions is shown beside it.

    When to ignore it
    When nobody reads the number.

    References
    keras/src/metrics/accuracy_metrics.py. keras-team/keras#108; rstudio/keras3#30; question 45632549 on Stack Overflow.
    """

    code = "OUT201"
    severity = "warning"
    sick = Example(
        """
model = keras.Sequential([
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(1),
])
model.compile("adam", loss="mse", metrics=["accuracy"])
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
model.compile("adam", loss="mse", metrics=["mae"])
model.fit(x, y, epochs=20, validation_data=(x_val, y_val), verbose=0)
""",
        data="regression",
    )

    def check(
        self, setup: Setup, contract: Contract, data: Data, task: Task, logs: Logs | None, skill: Skill | None
    ) -> Cleared | NotApplicable | Suspect:
        given = [name for name in setup.metrics if name in ACCURACIES]
        if not given:
            return NotApplicable("accuracy is not among the metrics")
        if not contract.single:
            return NotApplicable("there are several outputs")
        if task.kind != "regression":
            return Cleared("the targets are classes")
        values = len(np.unique(data.y))
        if values <= MANY:
            return NotApplicable(f"the targets have {values} values only")
        wide = data.y.ndim > 1 and data.y.shape[-1] > 1
        counts = "which column is largest" if wide else "exact equality"
        return Suspect(
            message=f"accuracy counts {counts}; the targets are numbers",
            confidence="proven",
            location=setup.compile_location("metrics", 3, f"counts {counts}"),
            related=(setup.sources.argument(setup.sites["fit"], "y", 1, label=f"{values} different numbers"),),
            evidence=gathered(
                _shown(logs, given[0]),
                Evidence(
                    measure="distinct-targets",
                    text=f"{values} of {data.y.size} recorded targets differ from each other",
                    value=values,
                    of=data.y.size,
                ),
                _r2(skill),
            ),
            conclusion="no answer to a number is counted as right unless it is equal to the last bit"
            if not wide
            else "the largest column of the targets is no class",
            impairs=False,
            fix=set_metrics(setup, "show the mean absolute error and R2", '["mae", "r2_score"]'),
        )


def _shown(logs: Logs | None, name: str) -> Evidence | None:
    values = logs.of_metric(name) if logs is not None else None
    if values is None or not np.isfinite(values).all():
        return None
    text = f"{name} went from {values[0]:.4g} to {values[-1]:.4g} in {len(values)} epochs"
    return Evidence(measure="shown-accuracy", text=text, value=float(values[-1]))


def _r2(skill: Skill | None) -> Evidence | None:
    if skill is None or not np.isfinite(skill.best):
        return None
    return Evidence(measure="r2", text=f"R2 is {skill.best:.2f}: 0 is the mean, 1 is perfect", value=skill.best)
