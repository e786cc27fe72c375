from __future__ import annotations

import numpy as np

from unstuck.experiments.interventions.split_again import Pool, SplitAgain
from unstuck.finding import Evidence
from unstuck.measure.data import Data
from unstuck.measure.labels.label_order import LabelOrder
from unstuck.measure.leakage.windows import Windows
from unstuck.measure.setup import Setup
from unstuck.measure.task import Task
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect

SORTED = 0.2
"""Stretches of equal labels, of those a random order has; a shuffled table has 1, a sorted one nearly 0."""
STRETCHES = 3
"""Of each class at most: a table that was put together of sorted ones has a few, one with ten rows a patient many."""
TARGETS_SORTED = 0.02
"""The same for the turns of a numeric target: a series with noise turns far more often than a sorted column."""
APART = 0.3
"""Distance between the class shares of both parts; random splits of 100 rows stay below 0.15."""
MOSTLY = 0.5


class OrderedValidationSplit(Rule):
    """
    What it finds:
    Validation rows cut off the end of a table that is sorted by its labels.

    Why training stops:
    It does not, but it is judged by classes it has hardly met: `validation_split` takes the last rows, before any
    shuffling, and in a sorted table these are of the last class.

    What you see:
    Validation accuracy of 0 or 1 from the first epoch, a validation loss that rises while training goes well, or
    early stopping after a few epochs.

    How it is proven:
    The labels of both parts are compared, and the order of the labels within the training rows. Then the rows are
    shuffled once, split again and trained on: the gap closes.

    When to ignore it:
    When the classes of the validation rows are new on purpose.

    References:
    Keras, Model.fit: "The validation data is selected from the last samples in the x and y data provided, before
    shuffling." https://github.com/keras-team/keras/issues/7759
    """

    code = "LEK206"
    severity = "error"
    sick = Example(
        """
order = np.argsort(y, kind="stable")
x, y = x[order], y[order]
model = keras.Sequential([
    keras.Input((x.shape[1],)),
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(3, activation="softmax"),
])
model.compile(keras.optimizers.Adam(0.01), loss="sparse_categorical_crossentropy")
model.fit(x, y, validation_split=0.25, epochs=30, verbose=0)
""",
        data="three-classes",
    )
    healthy = Example(
        """
order = np.random.default_rng(0).permutation(len(y))
x, y = x[order], y[order]
model = keras.Sequential([
    keras.Input((x.shape[1],)),
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(3, activation="softmax"),
])
model.compile(keras.optimizers.Adam(0.01), loss="sparse_categorical_crossentropy")
model.fit(x, y, validation_split=0.25, epochs=30, verbose=0)
""",
        data="three-classes",
    )

    def check(self, order: LabelOrder, data: Data, task: Task, setup: Setup, windows: Windows | None) -> Judgement:
        if windows is not None:
            return NotApplicable("the rows are windows of a series: their order is that of time")
        if np.all(task.y == task.y[:1]):
            return NotApplicable("all training labels are the same: see constant-target")
        distance = f"class shares of training and validation rows are {order.distance:.2f} apart"
        if order.distance < APART or (not task.is_classes and order.unseen < MOSTLY):
            return Cleared(distance, order.distance, APART)
        limit = max(1.0, TARGETS_SORTED * order.expected)
        if task.is_classes:
            limit = max(task.classes + 1, min(SORTED * order.expected, STRETCHES * task.classes))
        if order.runs > limit:
            return Cleared(f"{distance}, but the rows are not sorted by their labels", order.runs, limit)
        never = task.is_classes and order.unseen > MOSTLY
        cure = SplitAgain(Pool.of(data, task), "at random")
        argument = "validation_split" if order.by_fit else "validation_data"
        what = "classes" if task.is_classes else "targets"
        consequence = f"{order.unseen:.0%} of the validation rows have {what} that no training row has"
        if not order.unseen:
            consequence = distance
        return Suspect(
            message=f"the rows are sorted by their labels and the last ones were held out: {consequence}",
            confidence="proven" if never else "likely",
            location=setup.sources.argument(setup.sites["fit"], argument, label="the last rows, of other labels")
            or setup.fit_location("the last rows are of other labels"),
            evidence=(
                Evidence(
                    measure="runs-of-labels",
                    text=f"{order.runs} stretches of labels; in random order there are about {order.expected:.0f}",
                    value=order.runs,
                    expected=order.expected,
                ),
                Evidence(measure="distance-of-class-shares", text=distance, value=order.distance, expected=APART),
            ),
            cures=(cure,),
            impairs=False,
            conclusion="no training row has a class of these rows, so no model can know them" if never else "",
            leads_to=(
                "no-signal",
                "memorising",
                "misaligned-labels",
                "model-too-small",
                "class-imbalance",
                "preprocessing-before-split",
            ),
            fix=cure.edit(setup),
        )
