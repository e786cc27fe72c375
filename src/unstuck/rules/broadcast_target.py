"""One target column for several outputs, or one output for several target columns."""

from __future__ import annotations

import numpy as np

from unstuck.experiments.intervention import Intervention
from unstuck.experiments.interventions.head import ReplaceHead
from unstuck.experiments.interventions.loss import SetLoss
from unstuck.experiments.interventions.one_unit import head_for_one_unit
from unstuck.finding import Evidence
from unstuck.measure.contract import UNKNOWN_SHAPES, UNPAIRED, Contract, paired
from unstuck.measure.data import Data
from unstuck.measure.replay import Replay
from unstuck.measure.seen import gathered
from unstuck.measure.setup import SQUARED, Setup
from unstuck.measure.task import Task
from unstuck.rules.rule import Cleared, Example, NotApplicable, Rule, Suspect

ELEMENTWISE = SQUARED | {"poisson", "hinge", "squared_hinge"}
"""Losses that compare element by element, so that NumPy's rules of broadcasting decide what is compared."""
LEADS_TO = (
    "label-format-mismatch",
    "bounded-output",
    "unscaled-targets",
    "learning-rate-too-low",
    "learning-rate-too-high",
    "no-signal",
    "model-too-small",
    "too-few-updates",
    "squared-error-on-classes",
    "accuracy-on-regression",
    "constant-target",
    "accuracy-resolved-wrong",
    "dead-relu-output",
    "saturated-activation",
    "vanishing-gradient",
    "unsuitable-loss",
)


class BroadcastTarget(Rule):
    """One target column is compared with several outputs, or one output with several target columns.

    What it finds
    Targets of one column under an elementwise loss such as mean squared error, and an output of two or more units. One
    unit for one-hot rows, or for targets of several columns.

    Why training stops
    What is single is broadcast, and nothing raises. With one column every unit is trained towards the same number; if
    the units were meant for classes, each is pulled towards the class number. One unit is trained towards the mean of
    the columns, which of one-hot rows is the same for each.

    What you see
    A loss that falls and predictions of an unexpected shape, their columns copies of each other. With one unit a loss
    that stops at the spread of the columns, (k - 1) / k**2 for k classes under mean squared error.

    How it is proven
    By the two shapes. With as many units as columns, or the loss that takes class numbers, the same network is trained
    from the same seeds.

    When to ignore it
    When several independent guesses at one target are wanted.

    References
    keras/src/losses/loss.py (squeeze_or_expand_to_same_rank). keras-team/keras#14627.
    """

    code = "OUT120"
    severity = "error"
    sick = Example(
        """
y, y_val = y.reshape(-1, 1), y_val.reshape(-1, 1)
model = keras.Sequential([
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(5),
])
model.compile("adam", loss="mse")
model.fit(x, y, epochs=20, validation_data=(x_val, y_val), verbose=0)
""",
        data="regression",
    )
    healthy = Example(
        """
y, y_val = y.reshape(-1, 1), y_val.reshape(-1, 1)
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
        self, setup: Setup, contract: Contract, data: Data | None, task: Task | None, replay: Replay | None
    ) -> Cleared | NotApplicable | Suspect:
        if setup.loss.name not in ELEMENTWISE or setup.loss.custom:
            return NotApplicable("the loss does not compare element by element")
        if not paired(setup, contract):
            return NotApplicable(UNPAIRED)
        labels, output = contract.label_shape, contract.shape
        if labels is None or output is None:
            return NotApplicable(UNKNOWN_SHAPES)
        columns, units = labels[-1], output[-1]
        if len(labels) == len(output) >= 2 and units == 1 and columns not in (1, None):
            return _one_output(setup, int(columns), data, task)
        if len(labels) != len(output) or len(labels) < 2 or columns != 1 or units in (1, None):
            return Cleared(f"the targets have {columns} columns, the output {units}")
        return Suspect(
            message=f"one target column is compared with all {units} outputs",
            confidence="proven",
            location=setup.layer_location(setup.head.layer, "units", 0, f"{units} outputs"),
            related=(
                setup.sources.argument(setup.sites["fit"], "y", 1, label="one column"),
                setup.loss_location("compares element by element"),
            ),
            evidence=gathered(
                Evidence(
                    measure="output-columns",
                    text=f"the targets have the shape (rows, {columns}), the output (rows, {units})",
                    value=units,
                    expected=1.0,
                ),
                _alike(replay),
            ),
            scope={"layer": setup.head.layer.name},
            cures=_cures(setup, data, int(units or 1)),
            conclusion=f"the column is repeated {units} times, and every output is trained towards the same numbers",
            leads_to=LEADS_TO,
        )


def _one_output(setup: Setup, columns: int, data: Data | None, task: Task | None) -> Suspect:
    classes = task is not None and task.kind != "regression"
    cure = head_for_one_unit(setup, task, data) if classes else ReplaceHead(setup.head.activation, units=columns)
    one_hot = task is not None and task.is_classes
    means = "the same mean, so that no answer is better for one than for another" if one_hot else "a mean of them"
    return Suspect(
        message=f"one output is compared with all {columns} target columns",
        confidence="proven",
        location=setup.layer_location(setup.head.layer, "units", 0, "one output"),
        related=(
            setup.sources.argument(setup.sites["fit"], "y", 1, label=f"{columns} columns"),
            setup.loss_location("compares element by element"),
        ),
        evidence=(
            Evidence(
                measure="target-columns",
                text=f"the targets have the shape (rows, {columns}), the output (rows, 1)",
                value=columns,
                expected=1.0,
            ),
        ),
        scope={"layer": setup.head.layer.name},
        cures=(cure,),
        conclusion=f"the output is repeated {columns} times and trained towards all columns at once: towards {means}",
        leads_to=LEADS_TO,
    )


def _cures(setup: Setup, data: Data | None, units: int) -> tuple[Intervention, ...]:
    """The loss for class numbers where a softmax or sigmoid awaits classes and the targets name them, else one unit."""
    if data is not None and setup.head.activation in ("softmax", "sigmoid"):
        y = data.finite_y
        if y.size and np.all(y == np.round(y)) and 0 <= y.min() and y.max() < units:
            if setup.head.activation == "softmax":
                return (SetLoss("sparse_categorical_crossentropy"),)
            return (ReplaceHead("softmax", "sparse_categorical_crossentropy"),)
    activation = "linear" if setup.head.activation == "softmax" else setup.head.activation
    return (ReplaceHead(activation, units=1),)


def _alike(replay: Replay | None) -> Evidence | None:
    """How much the columns of the predictions agree."""
    if replay is None or replay.train_outputs.ndim != 2 or not np.isfinite(replay.train_outputs).all():
        return None
    outputs = replay.train_outputs
    if outputs.shape[1] < 2 or not np.ptp(outputs, axis=0).all():
        return None
    found = np.corrcoef(outputs.T)
    mean = float(found[np.triu_indices(len(found), 1)].mean())
    text = f"the columns of the predictions agree with each other (mean correlation {mean:.2f})"
    return Evidence(measure="mean-correlation-of-outputs", text=text, value=mean, expected=1.0)
