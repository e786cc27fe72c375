"""A generator that gives the same batch for ever."""

from __future__ import annotations

import numpy as np

from unstuck.finding import Evidence, Fix
from unstuck.measure.code.batch_makers import BatchMakers
from unstuck.measure.leakage.rows import Rows
from unstuck.measure.seen import gathered
from unstuck.measure.setup import Setup
from unstuck.measure.skill import Skill
from unstuck.measure.training.curve import Curve
from unstuck.measure.training.passes import Passes
from unstuck.rules.rule import Cleared, Example, NotApplicable, Rule, Suspect

ENOUGH_STEPS = 3
"""Batches that must all be the same; two equal ones may be one batch looked at twice."""
GAP = 0.2
"""Training skill less held-out skill from which the rows of one batch were learnt by heart: four times the smallest
effect that counts anywhere here."""


class RepeatedBatch(Rule):
    """Every batch holds the same rows.

    What it finds
    A stream whose batches are all the same: rows drawn once before `while True`, or a `__getitem__` that does not use
    the number of the batch.

    Why training stops
    The network sees one batch only. It learns these rows by heart and nothing of the others.

    What you see
    A training loss that falls to 1e-7 and below within an epoch, beside a validation score that stays poor.

    How it is proven
    By the fingerprints of all rows that passed, and by the line in the source that draws them only once.

    When to ignore it
    When one batch is all the data there are (full-batch training); then no rows are drawn, and nothing is said unless
    validation is much worse than training.

    References
    keras-team/keras#6341, #7661; keras/src/utils/python_utils.py.
    """

    code = "PIP101"
    severity = "error"
    sick = Example(
        """
def batches():
    rows = np.random.default_rng(0).choice(len(x), 16)
    while True:
        yield x[rows], y[rows]


model = keras.Sequential([
    keras.Input((30,)),
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy", metrics=["accuracy"])
model.fit(batches(), steps_per_epoch=25, epochs=6, validation_data=(x_val, y_val), verbose=0)
"""
    )
    healthy = Example(
        """
def batches():
    rng = np.random.default_rng(0)
    while True:
        rows = rng.choice(len(x), 16)
        yield x[rows], y[rows]


model = keras.Sequential([
    keras.Input((30,)),
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy", metrics=["accuracy"])
model.fit(batches(), steps_per_epoch=25, epochs=6, validation_data=(x_val, y_val), verbose=0)
"""
    )

    def check(
        self,
        setup: Setup,
        passes: Passes,
        rows: Rows,
        makers: BatchMakers,
        skill: Skill | None,
        curve: Curve | None,
    ) -> Cleared | NotApplicable | Suspect:
        if not passes.stream:
            return NotApplicable("fit was given arrays")
        if passes.steps[0] < ENOUGH_STEPS:
            return NotApplicable(f"{passes.steps[0]} batches are too few to compare")
        distinct = len(np.unique(rows.train))
        if distinct == 1 or distinct > passes.batch or len(rows.train) < ENOUGH_STEPS * distinct:
            return Cleared(f"{distinct} of {len(rows.train)} rows are different", distinct, passes.batch)
        fixed = makers.fixed[0] if makers.fixed else None
        gap = skill.train - skill.held if skill is not None else float("nan")
        if fixed is None and not gap >= GAP:
            return Cleared("one batch may be all the data there are: no rows are drawn, and validation is no worse")
        return Suspect(
            message=f"every batch holds the same {distinct} rows",
            confidence="proven" if fixed is not None else "likely",
            location=fixed.location if fixed else setup.fit_location(),
            related=(setup.sources.argument(setup.sites["fit"], "x", 0, label="always the same batch"),)
            if fixed
            else (),
            evidence=gathered(
                Evidence(
                    measure="distinct-rows",
                    text=f"{len(rows.train)} rows passed in {passes.steps[0]} batches; {distinct} are different",
                    value=distinct,
                    of=len(rows.train),
                ),
                Evidence(measure="drawn-once", text=f"{fixed.drawn or 'the number of the batch'} does not change")
                if fixed
                else None,
                Evidence(
                    measure="held-out-skill",
                    text=f"training skill is {skill.train:.2f}, held-out skill {skill.held:.2f}",
                    value=skill.held,
                    expected=skill.train,
                )
                if skill is not None and np.isfinite(skill.held)
                else None,
                Evidence(
                    measure="lowest-loss", text=f"the training loss falls to {curve.lowest:.2g}", value=curve.lowest
                )
                if curve is not None
                else None,
            ),
            fix=Fix(
                title="draw the rows of a batch inside the loop"
                if fixed is None or fixed.drawn
                else "use the number of the batch to choose its rows",
                applicability="sketch",
            ),
            conclusion="the rows are chosen once, so no step ever sees others",
            impairs=False,
            leads_to=("memorising", "constant-target", "no-signal", "overlapping-rows", "class-imbalance"),
        )
