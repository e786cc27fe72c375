"""Held-out rows that are training rows as well, and how many of them are natural in a table of few distinct rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

import numpy as np

from unstuck.measure.case import Case, Missing
from unstuck.measure.data import Data
from unstuck.measure.leakage.rows import Rows
from unstuck.measure.task import Task
from unstuck.record.fingerprint import row_hashes

SPARE_BITS = 10
"""A row of n rows has a natural double only if its columns hold little: 2 log2(n) bits make one pair likely
(birthday bound); this many bits on top are the allowance for columns that depend on each other."""


@dataclass(frozen=True)
class Overlap:
    """Rows on both sides of the split, counted over all rows by their fingerprints.

    Attributes:
        held, train: number of rows. matches: held-out rows that equal a training row (rows of zeros not counted).
        same_label, different_label: of the matches within the recorded sample.
        doubles: share of the training rows that equal another training row.
        discrete: whether equal rows are natural: the columns together hold too few values to tell rows apart.
        expected: matches to expect when rows are drawn independently: 0 unless `discrete`, else by `doubles`.
        excess: matches beyond that and beyond its spread (2 standard deviations).
        rows: the training rows of the recorded sample that equal a held-out row.
    """

    held: int
    train: int
    matches: int
    same_label: int
    different_label: int
    doubles: float
    discrete: bool
    expected: float
    excess: float
    rows: np.ndarray = field(repr=False, compare=False)

    @classmethod
    def of(cls, case: Case) -> Self:
        data, rows = case.get(Data), case.get(Rows)
        if not len(rows.held):
            raise Missing("held-out rows", "hand validation_data to fit, or evaluate on other rows afterwards")
        train, held = _without_zeros(rows.train, data), _without_zeros(rows.held, data)
        matches, doubles = counted(train, held)
        natural = matches > 0 and discrete(data)
        expected = len(rows.held) * doubles if natural else 0.0
        same, different = _labels(case, rows)
        sampled = rows.train[rows.train_sample]
        return cls(
            held=len(rows.held),
            train=len(rows.train),
            matches=matches,
            same_label=same,
            different_label=different,
            doubles=doubles,
            discrete=natural,
            expected=expected,
            excess=max(0.0, matches - expected - (2 * np.sqrt(expected) if natural else 0.0)),
            rows=np.flatnonzero(np.isin(sampled, held)),
        )

    @property
    def share(self) -> float:
        """Share of the held-out rows that are training rows beyond what is natural."""
        return self.excess / self.held


def _without_zeros(hashes: np.ndarray, data: Data) -> np.ndarray:
    """Blank rows (padding, empty texts) equal each other without being copies."""
    width = int(sum(np.prod(a.shape[1:]) for a in data.x))
    kept: np.ndarray = hashes[hashes != row_hashes(np.zeros((1, max(width, 1)), np.float32))[0]]
    return kept


def counted(train: np.ndarray, held: np.ndarray) -> tuple[int, float]:
    """How many of `held` are in `train`, and the share of `train` that equals another one of it (fingerprints).

    >>> counted(np.array([1, 1, 2, 3], np.uint64), np.array([3, 4, 1], np.uint64))
    (2, 0.5)
    """
    if not len(train):
        return 0, 0.0
    ordered = np.sort(train)
    asked = np.sort(held)  # in order, so that the search stays in the cache
    at = np.searchsorted(ordered, asked)
    found = ordered[np.minimum(at, len(ordered) - 1)] == asked
    equal = ordered[1:] == ordered[:-1]
    double = np.concatenate([equal, [False]]) | np.concatenate([[False], equal])
    return int(found.sum()), float(double.mean())


def discrete(data: Data) -> bool:
    """Whether the entropies of the columns, as float32, add up to less than it takes to tell this many rows apart."""
    with np.errstate(over="ignore"):
        table = data.flat[:, :2000].astype(np.float32)
    bits = sum(_entropy(column) for column in table.T)
    return bool(bits < 2 * np.log2(max(2, data.rows)) + SPARE_BITS)


def _entropy(column: np.ndarray) -> float:
    _, counts = np.unique(column, return_counts=True)
    share = counts / counts.sum()
    return float(-(share * np.log2(share)).sum())


def _labels(case: Case, rows: Rows) -> tuple[int, int]:
    """How many matching rows of the sample carry a label that an equal training row has, and how many do not."""
    task = case.find(Task)
    train, held = rows.train[rows.train_sample], rows.held[rows.held_sample]
    if task is None or len(task.y) != len(train) or len(task.held_y) != len(held):
        return 0, 0
    table: dict[int, list[np.ndarray]] = {}
    wanted = set(np.intersect1d(train, held).tolist())
    for value, label in zip(train.tolist(), task.y, strict=True):
        if value in wanted:
            table.setdefault(value, []).append(label)
    pairs = [(table[v], label) for v, label in zip(held.tolist(), task.held_y, strict=True) if v in table]
    same = sum(any(np.allclose(label, other) for other in others) for others, label in pairs)
    return same, len(pairs) - same
