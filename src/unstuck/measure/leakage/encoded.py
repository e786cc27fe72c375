"""Columns in which groups of rows carry the mean of their labels, over training and held-out rows together.

A group's code v is its mean label, perhaps drawn towards a prior of weight m and scaled afterwards. With n rows and
label sum S in the group, (v - b) / a * (n + m) = S + m * p, so that v * n is linear in S, n, v and 1. Over the rows
that the means were taken from the equation holds to rounding for every group; over a part of them it does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from unstuck.measure.case import Case, Missing
from unstuck.measure.data import Data
from unstuck.measure.task import Task

MIN_GROUPS = 12
"""The equation has four unknowns; eight more that hold to 1e-4 are no luck."""
MOST_GROUPS = 0.7
"""Groups by rows at most: a column with hardly a value twice is a measurement."""
EXACT = 1e-4
"""Error left in a code, in standard deviations of the column: float32 after scaling leaves 1e-6."""
NEARLY_ALL = 0.8
"""Share of the groups that must obey: two groups with the same code by chance are one here, and may not."""
FEWER = 0.5
"""Share of the groups, at most, that obey over the training rows alone; where all do, the means are theirs."""
MAX_COLUMNS = 200
MOST_TOGETHER, TELLING = 20, 20.0
"""Groups with the same code that are recognised as several; the prior must then weigh this many times the error that is
allowed, or any number of groups would fit."""
TOLD = 0.1
"""Share of a column's spread that its labels must account for; a code that does not depend on them is none."""
DRAWS, SEED = 300, 17
HOPELESS, FEW = 60, 0.1
"""After so many draws without a solution that even this share of the groups obeys, there is none."""
BLOCK = 2_000_000
"""Draws x groups that are judged at once."""
ALIKE, MOSTLY = 4, 0.5
"""Whole labels: of n rows and label sum S a mean tells S / n in lowest terms. That these are n / 4 or less happens to
1 in 6 pairs of numbers by chance (Hardy, Wright: An Introduction to the Theory of Numbers, section 18.5); where it is
so for half the rows, the values are of several groups each."""


@dataclass(frozen=True)
class Code:
    """One encoded column: how a group's code follows from its rows, v = (slope * S + level * n + prior) / (n + weight).

    Attributes:
        column: its number in `Data.flat`. groups: how many there are; obeying: how many obey over all rows, and
            `alone` over the training rows.
        merged: most values are shared by several groups, which the column then does not tell apart.
    """

    column: int
    groups: int
    obeying: int
    alone: int
    slope: float
    level: float
    prior: float
    weight: float
    merged: bool


@dataclass(frozen=True)
class Encoded:
    """Columns that hold label means taken over held-out rows too. `candidates`: columns with values in groups."""

    codes: tuple[Code, ...]
    candidates: int

    @classmethod
    def of(cls, case: Case) -> Self:
        data, task = case.get(Data), case.get(Task)
        y, held_y = numbers(data.y), numbers(data.held_y)
        if data.held_kind == "holdout" or not data.tabular or task.kind == "multilabel" or y is None or held_y is None:
            raise Missing("a table with one number a row as its label, and held-out rows", "")
        if not data.whole:
            raise Missing("all rows, of which the record holds a sample only", "")
        return cls.measure(data.flat, y, data.held_flat, held_y)

    @classmethod
    def measure(cls, train: np.ndarray, y: np.ndarray, held: np.ndarray, held_y: np.ndarray) -> Self:
        """Look for codes in the columns of `train`, (n, d), and `held`, (m, d), with labels (n,) and (m,)."""
        union, labels = np.concatenate([train, held]), np.concatenate([y, held_y])
        codes, candidates = [], 0
        for column in range(min(union.shape[1], MAX_COLUMNS)):
            values = union[:, column]
            if not np.isfinite(values).all():
                continue
            groups = len(np.unique(values))
            if not MIN_GROUPS <= groups <= MOST_GROUPS * len(values):
                continue
            candidates += 1
            fitted, obeying = _solved(values, labels)
            if obeying < NEARLY_ALL * groups:
                continue
            alone = _solved(train[:, column], y)[1]
            if alone <= FEWER * groups:
                slope, level, weight, prior = (float(value) for value in fitted)
                merged = _merged(values, labels, fitted)
                codes.append(Code(column, groups, obeying, alone, slope, level, prior, -weight, merged))
        return cls(tuple(codes), candidates)


def numbers(y: np.ndarray) -> np.ndarray | None:
    """Labels as one finite number a row, (n,), or None where they are not."""
    flat = y.reshape(len(y), -1)
    if flat.shape[1] != 1 or not np.isfinite(flat).all():
        return None
    return flat[:, 0].astype(np.float64)


def sums(values: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Distinct values, how many rows have each, and the sum of their labels."""
    distinct, group, count = np.unique(values, return_inverse=True, return_counts=True)
    return distinct, count.astype(np.float64), np.bincount(group.reshape(-1), labels, len(distinct))


def _solved(values: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, int]:
    """Coefficients of S, n, v and 1 for v * n that most groups obey, and how many do (random sample consensus)."""
    value, count, total = sums(values, labels)
    spread = float(np.std(values)) or 1.0
    terms = np.stack([total, count, value, np.ones_like(value)], axis=1)
    rng = np.random.default_rng(SEED)
    at_once = min(HOPELESS, max(2, BLOCK // len(value)))
    best, most, drawn = np.zeros(4), 0, 0
    while drawn < DRAWS and most < NEARLY_ALL * len(value) and (drawn < HOPELESS or most >= FEW * len(value)):
        found = _through(terms, rng.random((at_once, len(value))).argpartition(3, axis=1)[:, :4])
        obeying = np.where(found[:, 2] > 0, 0, _obeying(found, terms, spread).sum(axis=1))  # priors weigh above zero
        if obeying.max() > most:
            best, most = found[obeying.argmax()], int(obeying.max())
        drawn += at_once
    told = abs(best[0]) * np.std(labels) > TOLD * spread
    return best, most if told else 0


def _through(terms: np.ndarray, few: np.ndarray) -> np.ndarray:
    """Coefficients (draws, 4) that hold for the four groups of each draw; every other one a plain mean of two of them.

    Args:
        terms: S, n, v and 1 of each group, (groups, 4). few: numbers of groups, (draws, 4).
    """
    found = np.zeros(few.shape)
    for first, size in ((0, 4), (1, 2)):
        chosen = terms[few[first::2, :size]]
        right = chosen[:, :, 1] * chosen[:, :, 2]
        inverse = np.linalg.pinv(chosen[:, :, :size], rcond=size * np.finfo(float).eps)
        found[first::2, :size] = np.einsum("dij,dj->di", inverse, right)
    return found


def _merged(values: np.ndarray, labels: np.ndarray, found: np.ndarray) -> bool:
    """Whether most rows lie in values that several groups share. With labels that are not whole hardly any do."""
    if not np.allclose(labels, np.round(labels)):
        return False
    value, count, total = sums(values, labels)
    if found[2] < -1e-6:  # k groups of the same sum and size count the prior k times
        prior = found[3] + found[2] * value
        groups = np.abs((value * count - found[0] * total - found[1] * count) / np.where(prior == 0, np.inf, prior))
    else:
        groups = np.gcd(np.round(np.abs(total)).astype(int), count.astype(int))
    return bool(count[groups > ALIKE - 0.5].sum() > MOSTLY * count.sum())


def _obeying(found: np.ndarray, terms: np.ndarray, spread: float) -> np.ndarray:
    """Which groups obey which coefficients, (draws, groups).

    Of k groups with the same code, which are one here, the prior counts k times.
    """
    count, value = terms[:, 1], terms[:, 2]
    left, prior = value * count - found[:, :2] @ terms[:, :2].T, found[:, 2:] @ terms[:, 2:].T
    with np.errstate(divide="ignore", invalid="ignore"):
        together = np.clip(np.nan_to_num(np.round(left / prior), nan=1.0, posinf=1.0, neginf=1.0), 1, MOST_TOGETHER)
    obeys: np.ndarray = np.abs(left - together * prior) <= EXACT * spread * count
    told: np.ndarray = obeys & ((together == 1) | (np.abs(prior) > TELLING * EXACT * spread * count))
    return told
