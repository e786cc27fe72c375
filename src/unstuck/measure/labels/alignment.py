"""Do the labels belong to other rows: would they fit the inputs if they were shifted, reversed or sorted?

A linear learner, cross-validated, is asked for every candidate order at once. The p-value of each answer is that of
the label-permutation test in its normal approximation (Hoeffding 1951): under permutation the statistic
sum_i <answer_i, label_i> has mean 0 and variance sum(A'A * Y'Y) / (n - 1) for centred answers A and labels Y.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np

from unstuck.measure.case import Case, Missing
from unstuck.measure.data import Data
from unstuck.measure.features import MAX_COLUMNS, Features
from unstuck.measure.reference import permutation_test
from unstuck.measure.task import Task

MIN_ROWS = 100
MIN_HELD = 40
MAX_HELD = 2_000
"""Rows of either part that are asked; more decide nothing further."""
MAX_SHIFT = 5
MAX_SORTED = 10
"""Columns tried as the order that the labels may have been sorted by; every one costs power."""
FITS = 1e-4
"""p-value of a straight line on the training labels as recorded under which they are in order."""
SERIAL = 0.2
"""Mean lag-1 correlation of the columns, or of their distances from the mean, from which rows count as a series. In a
series a shift that fits better may just be a forecast that does not work (yesterday's value is known, tomorrow's is
not), so shifts are not tried."""
COPY = 0.98
"""A column that orders the rows so far like the shifted target (2 AUC - 1 for two classes) is a lagged copy of it, as
in a forecast from yesterday's value, not a sign of misalignment. A copy gives 1; the best single column of breast
cancer, an honest one, gives 0.951, and 0.95 called it a copy. Noisy lagged values below 0.98 are not recognised."""
RIDGE = 1.0
FOLDS = 5
SEED = 5


@dataclass(frozen=True)
class Candidate:
    """One order of the labels: p-value (Bonferroni over all orders tried) and cross-validated R2 of the learner."""

    kind: str
    amount: int
    p_value: float
    skill: float


@dataclass(frozen=True)
class Alignment:
    """The recorded pairing of training rows and labels beside others.

    Attributes:
        recorded: the pairing as recorded; p-value not corrected.
        best: the best other one, None when no other was tried.
        tried: number of other orders.
        recorded_p: p-value of the full reference learners on the recorded pairing, NaN when `best` says nothing.
        held_fits: whether the learner trained in the best order predicts the held-out labels as they are.
        recorded_skill: cross-validated skill of these learners; NaN where they were not asked.
        held_p, held_skill: the same on the held-out rows alone, which have their own labels where only the training
            labels were mixed up. NaN where a straight line fits the training labels, where all of these are the same,
            and with less than `MIN_HELD` held-out rows or more than training rows.
    """

    recorded: Candidate
    best: Candidate | None
    tried: int
    recorded_p: float
    held_fits: bool
    rows: int
    recorded_skill: float = float("nan")
    held_p: float = float("nan")
    held_skill: float = float("nan")

    @classmethod
    def of(cls, case: Case) -> Self:
        data, task = case.get(Data), case.get(Task)
        n = len(data.y)
        if n < MIN_ROWS or len(task.y) != n:
            raise Missing(f"{MIN_ROWS} training rows or more, with one label each")
        features = case.get(Features)
        x, held_x = _standardised(features.x[:, :MAX_COLUMNS], features.held_x[:, :MAX_COLUMNS])
        y, held_y = _targets(task, task.y), _targets(task, task.held_y)
        # Of a sample of the rows the neighbours are unknown.
        orders = [("shift", 0), *(candidates(x, y, sorted_by=features.plain) if n == data.rows else ())]
        permutations = [realigned(k, amount, n, x[:, amount] if k == "sort" else None) for k, amount in orders]
        scored = _score(x, y, permutations)
        count = len(orders) - 1
        others = [
            Candidate(kind, amount, min(1.0, p * count), skill)
            for (kind, amount), (p, skill) in zip(orders[1:], scored[1:], strict=True)
        ]
        best = min(others, key=lambda c: (c.p_value, -c.skill), default=None)
        recorded = Candidate("shift", 0, *scored[0])
        worth_it = best is not None and best.p_value < 0.01 and recorded.p_value > 0.01
        order = permutations[1 + others.index(best)] if best else permutations[0]
        held_p = held_skill = recorded_p = recorded_skill = float("nan")
        enough = data.held_kind != "holdout" and MIN_HELD <= len(task.held_y) <= n
        if enough and recorded.p_value > FITS and y.any():
            held_p, held_skill = permutation_test(task, held_x[:MAX_HELD], task.held_y[:MAX_HELD])
        if worth_it or held_p < 0.01:
            some = np.random.default_rng(SEED).permutation(n)[: None if worth_it else MAX_HELD]
            recorded_p, recorded_skill = permutation_test(task, x[some], task.y[some])
        return cls(
            recorded=recorded,
            best=best,
            tried=count,
            recorded_p=recorded_p,
            recorded_skill=recorded_skill,
            held_p=held_p,
            held_skill=held_skill,
            held_fits=_explains(x, y[order], held_x, held_y) if worth_it else False,
            rows=n,
        )


def candidates(x: np.ndarray, y: np.ndarray, *, sorted_by: bool = True) -> list[tuple[str, int]]:
    """The other orders worth trying for rows (n, columns) and labels (n, k), both standardised or centred.

    Args:
        sorted_by: whether labels may have been sorted by one of the columns.
    """
    serial = float(np.mean([_lagged(x[:, j]) for j in range(x.shape[1])])) > SERIAL
    labels_serial = max(_serial(y[:, j]) for j in range(y.shape[1])) > SERIAL
    shifts = [] if serial else [k for d in range(1, MAX_SHIFT + 1) for k in (d, -d) if not _copies(x, y, k)]
    found = [("shift", k) for k in shifts]
    if not (serial and labels_serial):
        found.append(("reverse", 0))
    if sorted_by and not serial and not labels_serial:
        varying = [j for j in range(x.shape[1]) if len(np.unique(x[:, j])) > len(x) // 2]
        found += [("sort", j) for j in varying[:MAX_SORTED]]
    return found


def realigned(kind: str, amount: int, rows: int, column: np.ndarray | None = None) -> np.ndarray:
    """The order `o` such that `labels[o]` are in the candidate order.

    >>> realigned("shift", 1, 4).tolist(), realigned("reverse", 0, 3).tolist()
    ([3, 0, 1, 2], [2, 1, 0])
    >>> realigned("sort", 0, 3, np.array([5.0, 1.0, 3.0])).tolist()
    [2, 0, 1]
    """
    if kind == "reverse":
        return np.arange(rows)[::-1]
    if kind == "sort" and column is not None:
        return np.argsort(np.argsort(column, kind="stable"), kind="stable")
    return np.roll(np.arange(rows), amount)


def _score(x: np.ndarray, y: np.ndarray, permutations: list[np.ndarray]) -> list[tuple[float, float]]:
    """(p-value, R2) of the cross-validated answers for each order of the labels."""
    n, width = len(x), y.shape[1]
    stacked = np.concatenate([y[order] for order in permutations], axis=1)
    folds = np.random.default_rng(SEED).permutation(n) % FOLDS
    answers = np.zeros_like(stacked)
    for fold in range(FOLDS):
        test = folds == fold
        shift = stacked[~test].mean(axis=0)
        # The mean of the other folds is left out of the answers: it is anticorrelated with the labels of this one.
        answers[test] = x[test] @ _solve(x[~test], stacked[~test] - shift)
    return [_judge(answers[:, i : i + width], stacked[:, i : i + width], n) for i in range(0, stacked.shape[1], width)]


def _judge(answers: np.ndarray, labels: np.ndarray, n: int) -> tuple[float, float]:
    centred = answers - answers.mean(axis=0)
    variance = float(((centred.T @ centred) * (labels.T @ labels)).sum()) / (n - 1)
    z = float((centred * labels).sum()) / math.sqrt(variance) if variance > 0 else 0.0
    skill = 1 - float(((labels - answers) ** 2).sum()) / max(float((labels**2).sum()), 1e-300)
    return math.erfc(z / math.sqrt(2)) / 2, skill


def _explains(x: np.ndarray, y: np.ndarray, held_x: np.ndarray, held_y: np.ndarray) -> bool:
    if len(held_x) < FOLDS or held_x.shape[1] != x.shape[1] or held_y.shape[1] != y.shape[1]:
        return False
    return _judge(held_x @ _solve(x, y), held_y, len(held_y))[0] < 0.01


def _solve(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    found: np.ndarray = np.linalg.solve(x.T @ x + RIDGE * np.eye(x.shape[1]), x.T @ y)
    return found


def _standardised(x: np.ndarray, held: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    empty = ~np.isfinite(x).any(axis=0)
    x, held = (np.where(empty, 0.0, np.where(np.isfinite(t), t, np.nan)) for t in (x, held))
    mean = np.nan_to_num(np.nanmean(x, axis=0)) if len(x) else 0.0
    spread = np.nan_to_num(np.nanstd(x, axis=0))
    spread = np.where(spread > 0, spread, 1.0)
    return np.nan_to_num((x - mean) / spread), np.nan_to_num((held - mean) / spread)


def _targets(task: Task, y: np.ndarray) -> np.ndarray:
    """Labels as centred columns (n, k)."""
    table = np.eye(task.classes)[y] if task.is_classes else y.astype(np.float64).reshape(len(y), -1)
    table = np.nan_to_num(table)
    centred: np.ndarray = table - table.mean(axis=0)
    return centred


def _lagged(column: np.ndarray) -> float:
    """Correlation of consecutive rows, in the values or in how far they lie from the mean (volatility)."""
    centred = column - column.mean()
    return max(_serial(centred), _serial(np.abs(centred) - np.abs(centred).mean()))


def _serial(centred: np.ndarray) -> float:
    spread = float((centred**2).mean())
    return abs(float(np.mean(centred[1:] * centred[:-1]))) / spread if spread > 0 else 0.0


def _copies(x: np.ndarray, y: np.ndarray, shift: int) -> bool:
    """Whether one column alone orders the rows as the shifted target does."""
    ranks = np.argsort(np.argsort(x, axis=0), axis=0) - (len(x) - 1) / 2
    moved = np.roll(y, shift, axis=0)
    seen = np.abs(ranks.T @ moved)
    most = np.arange(len(x)) - (len(x) - 1) / 2
    return bool((seen > COPY * np.maximum(most @ np.sort(moved, axis=0), 1e-12)).any())
