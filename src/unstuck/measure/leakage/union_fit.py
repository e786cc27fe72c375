"""Traces of preprocessing that was fitted on training and held-out rows together, from the arrays alone.

Scaling leaves exact moments behind: columns scaled by all rows have mean 0 and deviation 1 (or range 0 to 1, or
uncorrelated components) over all rows together and only nearly so over the training rows. The test asks for the exact
value over the union and for a deviation over the training rows that rounding does not explain.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np

from unstuck.measure.case import Case, Missing
from unstuck.measure.data import Data, flatten

EXACT = 3e-5
"""Largest rounding left in a mean or deviation after scaling in float32: columns with a mean of up to 500 times
their deviation before scaling keep 500 * 2**-24 = 3e-5."""
OFF = 10.0
"""How many times `EXACT` the training rows must be off; by luck they are about 1/sqrt(n) off, 3e-3 for n = 100,000."""
MIN_ROWS = 50
FEW_VALUES = 10
"""Columns of fewer distinct values (codes, one-hot) have the same range in every part, whoever fitted the scaler."""
GREY = 257
MOST = 0.9
"""Share of the columns that must have the exact range: shares and probabilities have it by nature, in some."""
MAX_COLUMNS = 2_000
PROJECTED = 3
"""Components from which on vanishing correlations are no luck."""

Kind = Literal["", "mean and deviation", "range", "principal components"]


@dataclass(frozen=True)
class UnionFit:
    """What the columns say about the rows that their scaling was fitted on.

    Attributes:
        kind: the trace that was found, "" for none.
        columns: how many columns carry it, of `candidates` that could.
        union, train: largest deviation of these columns from the exact value over all rows; smallest over the
            training rows.
        rows: rows of the union.
    """

    kind: Kind
    columns: int
    candidates: int
    union: float
    train: float
    rows: int

    @classmethod
    def of(cls, case: Case) -> Self:
        data = case.get(Data)
        if data.held_kind == "holdout" or not data.tabular:
            raise Missing("held-out rows of a table", "")
        train, held = data.flat, data.held_flat
        if not data.whole:
            return cls.measure(train, held, _all_rows(train, data.stats), _all_rows(held, data.held_stats))
        parts = [held]
        for event in case.fit.evaluations:  # validation and test rows may both have been in the fit
            arrays = case.run.arrays(f"evaluate-{event.sequence}")
            extra = arrays.get("held-x0")
            if extra is not None and extra.shape[1:] == data.x[0].shape[1:] and len(data.x) == 1:
                rows = flatten((extra,))
                if not _contains(parts, rows):
                    parts.append(rows)
        found = cls.measure(train, np.concatenate(parts))
        return found if found.kind or len(parts) == 1 else cls.measure(train, held)

    @classmethod
    def measure(
        cls, train: np.ndarray, held: np.ndarray, all_train: Columns | None = None, all_held: Columns | None = None
    ) -> Self:
        """Compare `train`, (n, d), with the union of it and `held`, (m, d).

        Args:
            train, held: the rows, or a sample of them.
            all_train, all_held: the columns over all rows, where a part is a sample.

        Raises:
            Missing: for fewer than `MIN_ROWS` rows.
        """
        if len(train) < MIN_ROWS or not len(held):
            raise Missing(f"at least {MIN_ROWS} training rows")
        train, held = train[:, :MAX_COLUMNS], held[:, :MAX_COLUMNS]
        union = np.concatenate([train, held])
        kept = np.isfinite(union).all(axis=0) & (np.ptp(union, axis=0) > 0)
        kept &= np.array([len(np.unique(column)) >= FEW_VALUES for column in union.T], dtype=bool)
        own = (all_train or Columns.of(train))[kept]
        both = own.beside((all_held or Columns.of(held))[kept])
        train, union = train[:, kept], union[:, kept]
        if not train.shape[1]:
            return cls("", 0, 0, np.nan, np.nan, both.rows)
        tests: tuple[tuple[Kind, np.ndarray, np.ndarray], ...] = (
            ("mean and deviation", _moments(both), _moments(own)),
            ("range", _range(both), _range(own)),
        )
        for kind, of_union, of_train in tests:
            told = (of_union < EXACT) & (of_train > OFF * EXACT)
            enough = told.sum() >= (of_train < EXACT).sum() if kind != "range" else _all_fine(union, of_union)
            if told.any() and enough:
                return cls(
                    kind,
                    int(told.sum()),
                    len(told),
                    float(of_union[told].max()),
                    float(of_train[told].min()),
                    both.rows,
                )
        if all_train is None and all_held is None:
            crossed, alone = _correlation(union), _correlation(train)
            if train.shape[1] >= PROJECTED and crossed < EXACT and alone > OFF * EXACT:
                return cls("principal components", train.shape[1], train.shape[1], crossed, alone, both.rows)
        best = int(np.argmin(_moments(both)))
        return cls("", 0, train.shape[1], float(_moments(both)[best]), float(_moments(own)[best]), both.rows)


@dataclass(frozen=True)
class Columns:
    """Mean, standard deviation (by n), least and largest value of each column over `rows` rows."""

    rows: int
    mean: np.ndarray
    std: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @classmethod
    def of(cls, table: np.ndarray) -> Self:
        with np.errstate(invalid="ignore"):
            return cls(len(table), table.mean(axis=0), table.std(axis=0), table.min(axis=0), table.max(axis=0))

    def __getitem__(self, kept: np.ndarray) -> Self:
        return type(self)(self.rows, self.mean[kept], self.std[kept], self.low[kept], self.high[kept])

    def beside(self, other: Self) -> Self:
        """Those of the rows of both."""
        rows = self.rows + other.rows
        share, apart = other.rows / rows, other.mean - self.mean
        variance = (1 - share) * self.std**2 + share * other.std**2 + share * (1 - share) * apart**2
        low, high = np.minimum(self.low, other.low), np.maximum(self.high, other.high)
        return type(self)(rows, self.mean + share * apart, np.sqrt(variance), low, high)


def _all_rows(table: np.ndarray, stats: Mapping[str, Any]) -> Columns:
    """The columns over all rows of a part of which the record holds a sample, or all rows.

    Raises:
        Missing: the record holds no statistics of them.
    """
    if int(stats.get("rows") or len(table)) <= len(table):
        return Columns.of(table)
    known = [about.get("by_column") for about in stats.get("x", ())]
    if len(known) != 1 or not known[0]:
        raise Missing("all rows, of which the record holds a sample only", "")
    return Columns(int(stats["rows"]), *(np.array(known[0][name]) for name in ("mean", "std", "min", "max")))


def _moments(columns: Columns) -> np.ndarray:
    """For each column how far mean 0 and deviation 1 (by n or by n - 1) are."""
    by_one_less = columns.std * np.sqrt(columns.rows / max(1, columns.rows - 1))
    spread = np.minimum(np.abs(columns.std - 1), np.abs(by_one_less - 1))
    return np.asarray(np.maximum(np.abs(columns.mean), spread))


def _range(columns: Columns) -> np.ndarray:
    """For each column how far its range is from [0, 1] or from [-1, 1]."""
    top = np.abs(columns.high - 1)
    unit = np.maximum(np.abs(columns.low), top)
    return np.asarray(np.minimum(unit, np.maximum(np.abs(columns.low + 1), top)))


def _all_fine(union: np.ndarray, off: np.ndarray) -> bool:
    """Whether nearly all columns have the exact range, and are finer than the grey levels of an image over 255."""
    fine = np.array([len(np.unique(column)) > min(GREY, len(union) // 4) for column in union.T])
    return bool((off < EXACT).mean() >= MOST and fine.mean() >= MOST)


def _correlation(table: np.ndarray) -> float:
    """The largest correlation of two columns, 1 when a column does not vary."""
    if table.shape[1] < 2 or table.shape[1] > 500 or (table.std(axis=0) == 0).any():
        return 1.0
    crossed = np.abs(np.corrcoef(table, rowvar=False))
    return float(crossed[~np.eye(len(crossed), dtype=bool)].max())


def _contains(parts: list[np.ndarray], rows: np.ndarray) -> bool:
    return any(part.shape == rows.shape and np.array_equal(part, rows, equal_nan=True) for part in parts)
