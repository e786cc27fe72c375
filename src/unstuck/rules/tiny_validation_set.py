"""EVA108: a validation set too small or too uniform to say anything."""

from __future__ import annotations

import numpy as np

from unstuck.finding import Evidence, Fix
from unstuck.measure.data import Data
from unstuck.measure.seen import gathered
from unstuck.measure.setup import Setup
from unstuck.measure.task import Task
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect

FEW = 50
"""Rows below which an accuracy of 0.8 is only known to within 0.11 (catalogue EVA108)."""
HARDLY = 20
"""Rows below which it is only known to within 0.18: two good models cannot be told apart."""
CONFIDENT = 1.96
"""Standard errors on either side of a 95 % interval."""
ENOUGH_TRAINING = 100
"""With fewer training rows than this a larger validation set would cost more than it tells; cross-validate."""


class TinyValidationSet(Rule):
    """
    What it finds:
    Validation data of fewer than 50 rows, or of one class only while training has several.

    Why training stops:
    It does not, but nothing can be read from it. With n rows accuracy moves in steps of 1/n, and its 95 % interval is
    about 2 sqrt(p (1 - p) / n) to each side. With one class it is the share of rows called that class.

    What you see:
    val_accuracy that jumps between a few values, or stays at 1.0 or 0.0.

    How it is proven:
    By counting the validation rows and their classes.

    When to ignore it:
    When there are no more rows to be had; then cross-validate.

    References:
    Brown, Cai and DasGupta 2001, "Interval Estimation for a Binomial Proportion"; Varoquaux 2018, "Cross-validation
    failure: small sample sizes lead to large error bars".
    """

    code = "EVA108"
    severity = "warning"
    sick = Example(
        """
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, validation_data=(x_val[:12], y_val[:12]), epochs=15, verbose=0)
"""
    )
    healthy = Example(
        """
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, validation_data=(x_val, y_val), epochs=15, verbose=0)
"""
    )

    def check(self, setup: Setup, data: Data, task: Task) -> Judgement:
        if data.held_kind != "validation" or not task.is_classes:
            return NotApplicable("no classes are validated")
        rows = int(data.held_stats.get("rows") or len(task.held_y))
        present, trained = len(np.unique(task.held_y)), len(np.unique(task.y))
        single = present == 1 and trained > 1
        if rows >= FEW and not single:
            return Cleared(f"{rows} validation rows of {present} classes", rows, FEW)
        p = 0.8
        half = CONFIDENT * float(np.sqrt(p * (1 - p) / max(rows, 1)))
        place = setup.sources.argument(setup.sites["fit"], "validation_data", whole=True)
        place = place or setup.sources.argument(setup.sites["fit"], "validation_split", whole=True)
        weak = single or (rows < HARDLY and data.rows >= ENOUGH_TRAINING)
        return Suspect(
            message=f"all {rows} validation rows are of one class" if single else f"{rows} validation rows say little",
            confidence="proven",
            severity="warning" if weak else "note",
            location=place or setup.fit_location(),
            evidence=gathered(
                Evidence(
                    measure="validation-rows",
                    value=rows,
                    expected=FEW,
                    text=f"with {rows} rows an accuracy of {p:.1f} is known to within {half:.2f} (95 %)",
                ),
                Evidence(
                    measure="validation-classes",
                    value=present,
                    expected=trained,
                    text=f"{present} of {trained} classes occur in the validation rows",
                ),
            ),
            conclusion=f"accuracy can only take {rows + 1} values, and chance moves it by {half:.2f}",
            impairs=False,
            fix=Fix(
                title="hold out more rows, with every class among them",
                applicability="sketch",
                alternative="train_test_split(..., stratify=y), or cross-validation when rows are few",
            ),
            leads_to=("train-loss-above-validation",),
        )
