"""Columns beside the table that say when a row was, and whether the split was made across them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Self

import numpy as np

from unstuck.measure.case import Case
from unstuck.measure.data import Data
from unstuck.measure.leakage.origin import Beside, Origin

NAMES = re.compile(
    r"(^|[._\s])(\w*_?)(dates?|times?|timestamps?|datetime|day|week|month|year|epoch|ts)$", re.IGNORECASE
)
MIN_TIMES = 10
"""Distinct times; of fewer (years, months of the year) no order of the rows follows."""


@dataclass(frozen=True)
class TimeOrder:
    """The column of times, if there is one.

    Attributes:
        name: of the column, "" when there is none.
        early: share of the held-out rows that lie before the last training row in time, and after the first.
        keys: time of each row of `Data.x`, then of `Data.held_x`, as a rank.
    """

    name: str
    early: float
    keys: np.ndarray = field(repr=False, compare=False)

    @classmethod
    def of(cls, case: Case) -> Self:
        origin, data = case.get(Origin), case.get(Data)
        found = [column for column in origin.columns if _is_time(column)]
        if not found:
            return cls("", 0.0, np.zeros(0))
        column = max(found, key=lambda c: (c.kind == "time", c.distinct))
        keys = origin.beside(column.codes)
        train, held = keys[: len(data.y)], keys[len(data.y) :]
        early = float(((held < np.quantile(train, 0.99)) & (held > np.quantile(train, 0.01))).mean())
        return cls(column.name, early, keys)


def _is_time(column: Beside) -> bool:
    if column.distinct < MIN_TIMES:
        return False
    rising = bool((np.diff(column.codes) >= 0).all())
    return column.kind == "time" or (bool(NAMES.search(column.name)) and column.kind == "number" and rising)
