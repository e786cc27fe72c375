"""Whether the inputs are numbers of words or other items, told from their values alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from unstuck.measure.case import Case
from unstuck.measure.data import Data

MIN_STEPS, MIN_ITEMS = 5, 20
"""Shorter rows, or fewer different numbers, may be codes, counts or pixels of few shades."""
MAX_ROWS = 2_000
NEAR = 0.3
"""Correlation of neighbours in a row from which their size means something: pixels and series have 0.5 and more."""
OWN_SCALE = 0.2
"""Share of the variance that lies between the columns from which each has a scale of its own, as in a table."""
PADDED = 0.2
"""Share of rows that are filled up with 0 at one end, to differing lengths, from which sequences were padded."""
FREQUENT, COMMON = 0.1, 0.4
"""In sequences without padding the most frequent tenth of all items fills as much: words follow Zipf's law."""
USED = 0.5
"""Share of all numbers up to the largest that occur where words are numbered; large counts have gaps."""


@dataclass(frozen=True)
class Tokens:
    """What numbers of items the only input holds.

    Attributes:
        vocabulary: the largest number and one more; 0 where the inputs are no such numbers.
        steps: numbers in a row.
        padded: whether 0 fills up shorter rows.
    """

    vocabulary: int = 0
    steps: int = 0
    padded: bool = False

    @classmethod
    def of(cls, case: Case) -> Self:
        data = case.get(Data)
        found = sequences(data.x[0]) if len(data.x) == 1 else None
        return cls() if found is None else cls(*_told(found))


def one_a_step(x: np.ndarray) -> np.ndarray:
    """Inputs of one value a step, (n, steps, 1), as rows (n, steps); others as they are."""
    return x[..., 0] if x.ndim == 3 and x.shape[2] == 1 else x


def sequences(x: np.ndarray) -> np.ndarray | None:
    """Rows (n, steps) of inputs (n, steps) or (n, steps, 1) that are whole numbers from 0 on; None for others."""
    rows = one_a_step(x)
    if rows.ndim != 2 or rows.shape[1] < MIN_STEPS or rows.dtype.kind not in "iuf" or not len(rows):
        return None
    whole = np.isfinite(rows).all() and rows.min() >= 0 and (rows == np.floor(rows)).all()
    return rows if whole else None


def _told(rows: np.ndarray) -> tuple[int, int, bool]:
    few = rows[:MAX_ROWS].astype(np.float64)
    kinds, counts = np.unique(few[few > 0], return_counts=True)
    padded = _padded(few)
    if len(kinds) < MIN_ITEMS or not (padded or _zipf(kinds, counts)) or _near(few) > NEAR or _between(few) > OWN_SCALE:
        return 0, 0, False
    return int(rows.max()) + 1, rows.shape[1], padded


def _padded(rows: np.ndarray) -> bool:
    """Whether 0 stands at one end of many rows, and nowhere else."""
    empty = rows == 0
    for side in (empty, empty[:, ::-1]):
        run = np.cumprod(side[:, ::-1], axis=1).sum(axis=1)
        if (run > 0).mean() >= PADDED and len(np.unique(run)) >= 3 and (run == empty.sum(axis=1)).mean() > 0.95:
            return True
    return False


def _zipf(kinds: np.ndarray, counts: np.ndarray) -> bool:
    top = np.sort(counts)[::-1][: max(1, int(FREQUENT * len(counts)))]
    return bool(top.sum() >= COMMON * counts.sum() and len(kinds) >= USED * kinds.max())


def _near(rows: np.ndarray) -> float:
    """Correlation of neighbouring numbers, where both are items."""
    left, right = rows[:, :-1].reshape(-1), rows[:, 1:].reshape(-1)
    both = (left > 0) & (right > 0)
    left, right = left[both], right[both]
    return abs(float(np.corrcoef(left, right)[0, 1])) if len(left) > 2 and left.std() and right.std() else 1.0


def _between(rows: np.ndarray) -> float:
    """Share of the variance of all items that lies between the columns."""
    item = rows > 0
    count = item.sum(axis=0)
    filled = count >= 10
    if filled.sum() < MIN_STEPS:
        return 1.0
    sums = np.where(item, rows, 0).sum(axis=0)
    means = sums[filled] / count[filled]
    everything = rows[item]
    mean = np.average(means, weights=count[filled])
    spread = float(np.average((means - mean) ** 2, weights=count[filled]))
    return spread / float(everything.var()) if everything.var() else 1.0
