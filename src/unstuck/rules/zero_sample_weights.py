"""Rows weighted by zero."""

from __future__ import annotations

import numpy as np

from unstuck.experiments.interventions.class_weights import BalanceClasses
from unstuck.experiments.interventions.weights import DropSampleWeights
from unstuck.finding import Evidence
from unstuck.measure.contract import Contract
from unstuck.measure.data import Data
from unstuck.measure.seen import gathered, zero_loss
from unstuck.measure.setup import Setup
from unstuck.measure.task import Task
from unstuck.measure.training.curve import Curve
from unstuck.rules.rule import Cleared, Example, NotApplicable, Rule, Suspect

MIN_CLASS_ROWS = 5
"""A class with fewer rows than this may be missing from the weights by chance."""


class ZeroSampleWeights(Rule):
    """The weights take every row, or every row of a class, out of the loss.

    What it finds
    Sample weights and class weights whose product is 0 for all training rows, or for all rows of one class.

    Why training stops
    Each row's loss is multiplied by its weight. Where all of them are 0 there is no loss and no gradient; where those
    of one class are, that class is never learnt.

    What you see
    loss: 0.0000e+00 from the first batch while the metrics stay where they were, or one class that is never predicted.
    Metrics do not use the weights, so they look as usual.

    How it is proven
    By multiplying the recorded weights. Training once more without them decides whether a missing class was meant.

    When to ignore it
    When rows of a class are to be skipped, such as a void class in segmentation.

    References
    keras/src/trainers/data_adapters/data_adapter_utils.py (class_weight_to_sample_weights); keras-team/keras#7917,
    #13113, #545.
    """

    code = "API104"
    severity = "error"
    sick = Example(
        """
counts = np.bincount(y.astype(int))
weights = counts.min() // counts.max() * np.ones(len(y))
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile("adam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, sample_weight=weights, epochs=4, validation_data=(x_val, y_val), verbose=0)
"""
    )
    healthy = Example(
        """
counts = np.bincount(y.astype(int))
weights = (len(y) / 2 / counts)[y.astype(int)]
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile("adam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, sample_weight=weights, epochs=20, validation_data=(x_val, y_val), verbose=0)
"""
    )

    def check(
        self, setup: Setup, contract: Contract, data: Data, task: Task | None, curve: Curve | None
    ) -> Cleared | NotApplicable | Suspect:
        if data.weight is None and not setup.class_weight:
            return NotApplicable("no weights are given")
        if not contract.single or setup.custom_train_step:
            return NotApplicable(
                "the weights and the output cannot be paired (several outputs, or an own training step)"
            )
        weight = _effective(setup, data, task)
        if weight is None:
            return NotApplicable("the weights do not belong to single rows")
        idle = weight == 0
        if idle.all():
            return _suspect(setup, curve, None, (len(weight), len(weight)))
        if task is None or not task.is_classes or len(task.y) != len(weight):
            return Cleared(f"{1 - idle.mean():.0%} of the rows have a weight above 0", float(idle.mean()), 1.0)
        for label in range(task.classes):
            own = task.y == label
            if own.sum() >= MIN_CLASS_ROWS and idle[own].all():
                return _suspect(setup, curve, label, (int(own.sum()), len(weight)), task.classes)
        return Cleared("every class has rows with a weight above 0", float(idle.mean()), 1.0)


def _effective(setup: Setup, data: Data, task: Task | None) -> np.ndarray | None:
    """Sample weight times class weight of each recorded row, (n,); None when they are not one a row."""
    weight = np.ones(len(data.y)) if data.weight is None else np.asarray(data.weight, dtype=np.float64)
    weight = np.abs(weight.reshape(len(weight), -1)).max(axis=1)
    if len(weight) != len(data.y):
        return None
    if setup.class_weight and task is not None and task.is_classes and len(task.y) == len(weight):
        # Keras gives classes that are not named the weight 1.
        per_class = np.array([float(setup.class_weight.get(str(c), 1.0)) for c in range(task.classes)])
        return np.asarray(weight * per_class[task.y])
    return np.asarray(weight)


def _suspect(
    setup: Setup, curve: Curve | None, label: int | None, counted: tuple[int, int], classes: int = 0
) -> Suspect:
    rows, of = counted
    given = "class_weight" if setup.class_weight else "sample_weight"
    every = label is None
    what = f"{rows} of {of} training rows" + ("" if every else f", all of class {label},") + " have the weight 0"
    return Suspect(
        message="every training row has the weight 0" if every else f"every row of class {label} has the weight 0",
        confidence="proven" if every else "likely",
        severity="error" if every else "warning",
        location=setup.sources.argument(setup.sites["fit"], given, label="0 for these rows", whole=True)
        or setup.fit_location(),
        evidence=gathered(
            Evidence(measure="rows-of-weight-zero", text=what, value=rows, of=of),
            zero_loss(curve),
        ),
        # Without weights a rare class may be left out again, for another reason.
        cures=(DropSampleWeights(), *((BalanceClasses(classes, anew=True),) if setup.class_weight and classes else ())),
        conclusion="a loss multiplied by 0 has no gradient, whatever the data" if every else "",
        leads_to=("loss-ignores-predictions", "learning-rate-too-low", "class-imbalance", "silent-missing-gradient"),
    )
