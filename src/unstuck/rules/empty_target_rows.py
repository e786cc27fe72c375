"""One-hot rows without a one."""

from __future__ import annotations

import numpy as np

from unstuck.experiments.interventions.rows import DropRows
from unstuck.finding import Evidence, Fix
from unstuck.measure.contract import Contract
from unstuck.measure.data import Data
from unstuck.measure.room import Room
from unstuck.measure.setup import CATEGORICAL, Setup
from unstuck.measure.task import Task
from unstuck.rules.rule import Cleared, Example, NotApplicable, Rule, Suspect

FEW = 0.02
"""Up to this share of empty rows is the odd missing label: it costs as little as leaving out as many rows."""
MANY = 0.2
"""From this share on a whole class is missing: with five balanced classes one of them has 0.2 of the rows."""


class EmptyTargetRows(Rule):
    """Target rows without any class add nothing to categorical cross-entropy.

    What it finds
    Rows of zeros in one-hot targets under categorical cross-entropy: a dropped first dummy column, a class without a
    column, labels that were read as zeros.

    Why training stops
    The loss is the sum of -y log p over the classes. Where every y is 0, so is the loss, whatever the network answers:
    these rows teach nothing, and the class they stand for is never learnt.

    What you see
    A loss that is too small for the score, 0 when all rows are empty; a class that is never predicted, or an accuracy
    of 1.0, because the largest of all zeros is taken to be class 0 both in labels and in predictions.

    How it is proven
    By counting the rows whose targets sum to 0.

    When to ignore it
    When the rows are left without a class on purpose, so that the loss skips them (padding, unlabelled rows).

    References
    keras/src/backend/jax/nn.py (categorical_crossentropy); keras-team/keras#6421.
    """

    code = "DAT102"
    severity = "error"
    sick = Example(
        """
targets, targets_val = np.eye(3)[y][:, 1:], np.eye(3)[y_val][:, 1:]
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(2, activation="softmax"),
])
model.compile("adam", loss="categorical_crossentropy", metrics=["accuracy"])
model.fit(x, targets, epochs=8, validation_data=(x_val, targets_val), verbose=0)
""",
        data="three-classes",
    )
    healthy = Example(
        """
targets, targets_val = np.eye(3)[y], np.eye(3)[y_val]
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(3, activation="softmax"),
])
model.compile("adam", loss="categorical_crossentropy", metrics=["accuracy"])
model.fit(x, targets, epochs=30, validation_data=(x_val, targets_val), verbose=0)
""",
        data="three-classes",
    )

    def check(
        self, setup: Setup, contract: Contract, data: Data, task: Task | None, room: Room | None
    ) -> Cleared | NotApplicable | Suspect:
        if setup.loss.name not in CATEGORICAL or setup.loss.custom or setup.custom_train_step:
            return NotApplicable("the loss is not categorical cross-entropy")
        if not contract.single or data.y.ndim != 2 or data.y.shape[1] < 2:
            return NotApplicable("the targets are not one row of classes a sample")
        if task is not None and task.kind == "multilabel" and setup.head.activation == "sigmoid":
            return NotApplicable("a row may carry no label: see sigmoid-with-categorical-loss")
        rows = np.flatnonzero(np.abs(data.y).sum(axis=1) == 0)
        share = len(rows) / max(len(data.y), 1)
        if share <= FEW:
            return Cleared(f"{len(rows)} of {len(data.y)} target rows have no class", share, FEW)
        if share < MANY and room is not None and not room.exists:
            return Cleared(f"{share:.0%} of the rows have no class; the rest is learnt all the same", share, MANY)
        positions = tuple(np.flatnonzero(np.isin(data.fit_rows, rows)).tolist())
        return Suspect(
            message=f"{share:.0%} of the target rows have no class, and add nothing to the loss",
            confidence="proven",
            severity="error" if share >= MANY else "warning",
            location=setup.sources.argument(setup.sites["fit"], "y", 1, label="these targets") or setup.fit_location(),
            related=(setup.loss_location("0 for a row of zeros"),),
            evidence=(
                Evidence(
                    measure="rows-without-class",
                    text=f"{len(rows)} of {len(data.y)} target rows are all 0",
                    value=len(rows),
                    of=len(data.y),
                ),
                Evidence(
                    measure="columns",
                    text=f"the targets have {data.y.shape[1]} columns: is one class missing?",
                    value=data.y.shape[1],
                ),
            ),
            cures=(DropRows("rows without a class", positions),) if share < 1 else (),
            fix=Fix(
                title="give every row a class: keep all dummy columns, or add one for 'none'", applicability="sketch"
            ),
            conclusion="the loss of these rows is 0 for any weights, so nothing can be learnt from them",
            leads_to=("label-format-mismatch", "class-imbalance", "zero-sample-weights"),
        )
