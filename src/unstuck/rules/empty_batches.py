"""Batches of zeros, or of no rows at all."""

from __future__ import annotations

import numpy as np

from unstuck.experiments.interventions.rows import DropRows
from unstuck.finding import Evidence, Fix
from unstuck.measure.contract import Contract
from unstuck.measure.data import Data
from unstuck.measure.seen import gathered, loss_at_chance
from unstuck.measure.setup import Setup
from unstuck.measure.skill import Skill
from unstuck.measure.training.passes import Passes
from unstuck.rules.rule import Cleared, Example, NotApplicable, Rule, Suspect

MANY = 0.1
"""Share of rows that are zeros in inputs and labels from which batches were not filled; an empty row among ten may be
a row of the data."""
NO_ROWS = "shape: (0,)"
"""What JAX says of the loss of a batch without rows: it has no mean."""


class EmptyBatches(Rule):
    """A stream gives rows of zeros, or batches without rows.

    What it finds
    Rows whose inputs and labels are all 0 in a tenth of a stream or more, and batches of no rows: an index that runs
    past the end, a buffer that was allocated and not filled.

    Why training stops
    Zero inputs give the first layer no gradient; zero labels teach only that the answer is 0. A batch without rows has
    no mean: its loss is NaN.

    What you see
    A loss that drops to nearly 0 with an accuracy of 1.0, often from the second epoch on and faster than before; or NaN
    (on JAX: an error about the shape (0,)) once the data are used up.

    How it is proven
    By counting the rows of the first pass. The same network is trained with other rows in their place.

    When to ignore it
    When rows of zeros with the label 0 are data. Only the first pass over a stream is recorded.

    References
    keras-team/keras#5818, #2134.
    """

    code = "PIP102"
    severity = "error"
    sick = Example(
        """
def batches(size=32):
    step = 0
    while True:
        part = slice(step * size, (step + 1) * size)
        rows, labels = np.zeros((size, 30), "float32"), np.zeros(size, "float32")
        rows[: len(x[part])], labels[: len(x[part])] = x[part], y[part]
        step += 1
        yield rows, labels


model = keras.Sequential([
    keras.Input((30,)),
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile("adam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(batches(), steps_per_epoch=200, epochs=2, validation_data=(x_val, y_val), verbose=0)
"""
    )
    healthy = Example(
        """
def batches(size=32):
    step = 0
    while True:
        part = slice(step * size, (step + 1) * size)
        step = (step + 1) % (len(x) // size)
        yield x[part], y[part]


model = keras.Sequential([
    keras.Input((30,)),
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile("adam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(batches(), steps_per_epoch=200, epochs=2, validation_data=(x_val, y_val), verbose=0)
"""
    )

    def check(
        self, setup: Setup, contract: Contract, passes: Passes, data: Data, skill: Skill | None
    ) -> Cleared | NotApplicable | Suspect:
        if not passes.stream:
            return NotApplicable("fit was given arrays")
        place = setup.sources.argument(setup.sites["fit"], "x", 0, label="this stream") or setup.fit_location()
        if NO_ROWS in contract.error:
            return Suspect(
                message=f"a batch without rows comes after {passes.total} steps",
                confidence="proven",
                location=place,
                evidence=(Evidence(measure="fit-raised", text=f"fit raised {contract.error.splitlines()[0][:120]}"),),
                fix=_FIX,
                conclusion="a batch without rows has no mean loss and no gradient",
            )
        empty = _zero(data.x) & _zero((data.y,))
        share = float(empty.mean())
        if share < MANY:
            return Cleared(f"{share:.0%} of the rows that passed are zeros", share, MANY)
        positions = tuple(np.flatnonzero(empty[data.fit_rows]).tolist())
        return Suspect(
            message=f"{share:.0%} of the rows that the stream gave are zeros, inputs and labels alike",
            confidence="proven" if share == 1 else "likely",
            location=place,
            evidence=gathered(
                Evidence(
                    measure="zero-rows",
                    text=f"{int(empty.sum())} of {len(empty)} rows of the first pass are all 0",
                    value=int(empty.sum()),
                    of=len(empty),
                ),
                _first_zero(empty, passes.batch),
                loss_at_chance(skill),
            ),
            cures=(DropRows("rows of zeros", positions),) if share < 1 else (),
            fix=_FIX,
            conclusion="inputs of 0 give no gradient to the first layer, and labels of 0 nothing to tell apart"
            if share == 1
            else "",
            # What is learnable was measured on the same rows, most of which are nothing.
            impairs=False,
            leads_to=(
                "blank-inputs",
                "constant-target",
                "class-imbalance",
                "contradictory-labels",
                "sparse-targets",
                "no-signal",
                "memorising",
                "wrong-steps-per-epoch",
                "model-too-small",
            ),
        )


_FIX = Fix(
    title="begin again at the first row when the rows are used up",
    applicability="sketch",
    alternative="steps_per_epoch = rows // batch size, and a check that every batch is filled",
)


def _zero(arrays: tuple[np.ndarray, ...]) -> np.ndarray:
    """Rows that are 0 in all of the arrays, (n,)."""
    return np.asarray(np.logical_and.reduce([(array.reshape(len(array), -1) == 0).all(axis=1) for array in arrays]))


def _first_zero(empty: np.ndarray, batch: int) -> Evidence | None:
    tail = int(np.argmin(empty[::-1])) if not empty.all() else len(empty)
    if tail < batch:
        return None
    step = (len(empty) - tail) // batch + 1
    return Evidence(measure="zeros-from-step", text=f"from step {step} on there is nothing else", value=step)
