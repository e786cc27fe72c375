"""What each single column knows about the labels, and whether one of them is the labels in disguise."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np

from unstuck.measure.case import Case, Missing
from unstuck.measure.data import Data
from unstuck.measure.task import IMBALANCED, Task

MAX_ROWS = 20_000
MAX_CELLS = 4_000_000
"""Rows times columns that are binned; more columns mean fewer rows, 500 at least."""
MIN_ROWS = 50
FOLDS, BINS, SEED = 5, 32, 13
LOOKED_AT = 20
"""Columns that are tested for exactness: those of the highest skill. A disguise has skill near 1."""
EXACT = 1e-3
"""Residual of an affine copy relative to the spread of the target: float32 after scaling keeps 1e-5."""
NEAR = 0.999
"""R2 from which a column is a copy with a little noise; the best honest ones tried were at 0.97."""
NOISY_CODE = 0.95
GAP = 0.3
"""Skill by which a suspicious column must stand out: in easy problems (iris) several columns are strong."""
ROOM = 0.25
"""Empty room between classes, in within-class standard deviations; a threshold on a natural column has none."""
PERSISTENT = 0.9
"""Share of the target's variance its predecessor explains, from which on a near copy may be a legitimate lag."""

Kind = Literal["", "copy", "code", "monotone copy", "partial copy", "noisy copy"]


@dataclass(frozen=True)
class Column:
    """One column. `skill` is out of fold; `kind` is "" unless it is a copy of the label; `text` says how exact."""

    index: int
    name: str
    skill: float
    kind: Kind = ""
    text: str = ""

    @property
    def exact(self) -> bool:
        return self.kind in ("copy", "code", "monotone copy", "partial copy")


@dataclass(frozen=True)
class Solo:
    """Columns by skill.

    Attributes:
        columns: the best `LOOKED_AT`, by falling skill.
        copies: those that are the label in disguise; next_best: skill of the best column that is not.
        rows, features: how many were looked at. lag: share of the target's variance its predecessor explains.
    """

    columns: tuple[Column, ...]
    copies: tuple[Column, ...]
    next_best: float
    rows: int
    features: int
    lag: float

    @classmethod
    def of(cls, case: Case) -> Self:
        data, task = case.get(Data), case.get(Task)
        if not data.tabular or len(task.y) != len(data.y):
            raise Missing("a table with one label a row", "")
        return cls.measure(data.flat, task, data.columns)

    @classmethod
    def measure(cls, table: np.ndarray, task: Task, names: tuple[str, ...] = ()) -> Self:
        """Judge the columns of `table`, (n, d), against the labels of `task`.

        Raises:
            Missing: for fewer than `MIN_ROWS` rows.
        """
        if len(table) < MIN_ROWS:
            raise Missing(f"at least {MIN_ROWS} training rows")
        chosen = np.sort(np.random.default_rng(SEED).permutation(len(table))[:MAX_ROWS])
        x, y = np.nan_to_num(table[chosen], posinf=0.0, neginf=0.0), task.y[chosen]
        skills = _skills(x, y, task)
        order = np.argsort(-skills, kind="stable")[:LOOKED_AT]
        called = names if len(names) == x.shape[1] else tuple(f"column {i}" for i in range(x.shape[1]))
        lag = _lag(y) if task.kind == "regression" else 0.0
        found = []
        for index in order:
            rest = float(np.delete(skills, index).max(initial=0.0))
            kind, text = _disguise(x[:, index], y, task, float(skills[index]), rest, lag)
            found.append(Column(int(index), called[index], float(skills[index]), kind, text))
        copies = tuple(column for column in found if column.kind)
        others = np.delete(skills, [column.index for column in copies])
        return cls(tuple(found), copies, float(others.max(initial=0.0)), len(x), x.shape[1], lag)


def _skills(x: np.ndarray, y: np.ndarray, task: Task) -> np.ndarray:
    """Out-of-fold skill of every column by itself, (d,): binned majority, or the better of binned mean and line."""
    rng = np.random.default_rng(SEED)
    rows = rng.permutation(len(x))[: max(500, MAX_CELLS // x.shape[1])]
    x, y = x[rows], y[rows]
    fold = np.arange(len(x)) % FOLDS
    judge: Callable[[np.ndarray], float]
    if task.is_classes:
        weight = _weights(y, task)
        judge = lambda bins: _class_skill(bins, y, fold, weight)
    elif y.shape[1] == 1:
        judge = lambda bins: _mean_skill(bins, y[:, 0], fold)
    else:
        judge = lambda bins: max(_mean_skill(bins, column, fold) for column in y.T[:8])
    skills = np.array([judge(_bins(column)) for column in x.T])
    return skills if task.is_classes else np.maximum(skills, _line_skills(x, y))


def _bins(column: np.ndarray) -> np.ndarray:
    values, codes = np.unique(column, return_inverse=True)
    if len(values) <= 2 * BINS:
        return codes
    count = int(np.clip(len(column) // 20, 2, BINS))
    return np.searchsorted(np.quantile(column, np.linspace(0, 1, count + 1)[1:-1]), column)


def _weights(y: np.ndarray, task: Task) -> np.ndarray:
    """1 for every class, or the inverse of its share where one class has most rows (balanced accuracy)."""
    share = np.maximum(np.bincount(y, minlength=task.classes) / len(y), 1e-12)
    return 1 / share if task.majority >= IMBALANCED else np.ones(task.classes)


def _class_skill(bins: np.ndarray, y: np.ndarray, fold: np.ndarray, weight: np.ndarray) -> float:
    shape = (FOLDS, int(bins.max()) + 1, len(weight))
    flat = np.ravel_multi_index((fold, bins, y), shape)
    counts = np.bincount(flat, minlength=int(np.prod(shape))).reshape(shape) * weight
    guess = (counts.sum(axis=0) - counts).argmax(axis=2)
    hit = weight[y] * (guess[fold, bins] == y)
    total = weight[y].sum()
    chance = max(weight[c] * (y == c).sum() for c in range(len(weight))) / total
    return float((hit.sum() / total - chance) / max(1 - chance, 1e-9))


def _mean_skill(bins: np.ndarray, y: np.ndarray, fold: np.ndarray) -> float:
    shape = (FOLDS, int(bins.max()) + 1)
    flat = np.ravel_multi_index((fold, bins), shape)
    size = np.bincount(flat, minlength=int(np.prod(shape))).reshape(shape)
    total = np.bincount(flat, weights=y, minlength=int(np.prod(shape))).reshape(shape)
    others, sums = size.sum(axis=0) - size, total.sum(axis=0) - total
    guess = np.where(others > 0, sums / np.maximum(others, 1), y.mean())
    return float(1 - ((y - guess[fold, bins]) ** 2).mean() / max(y.var(), 1e-300))


def _line_skills(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Squared correlation of every column with the best output; a line has two parameters, no folds are needed."""
    a, b = x - x.mean(axis=0), y - y.mean(axis=0)
    with np.errstate(all="ignore"):
        r = (a.T @ b) / np.sqrt((a**2).sum(axis=0)[:, None] * (b**2).sum(axis=0)[None, :])
    best: np.ndarray = np.nan_to_num((r**2).max(axis=1))
    return best


def _disguise(x: np.ndarray, y: np.ndarray, task: Task, skill: float, rest: float, lag: float) -> tuple[Kind, str]:
    if task.kind == "multilabel" or not np.ptp(x):
        return "", ""
    if task.is_classes:
        return _class_disguise(x, y, task, skill, rest)
    for target in y.T[:8]:
        kind, text = _target_disguise(x, target, skill, rest, lag)
        if kind:
            return kind, text
    return "", ""


def _class_disguise(x: np.ndarray, y: np.ndarray, task: Task, skill: float, rest: float) -> tuple[Kind, str]:
    values, codes = np.unique(x, return_inverse=True)
    present = len(np.unique(y))
    if len(values) <= max(10 * present, 20) and len(x) >= 10 * len(values):
        table = np.zeros((len(values), task.classes))
        np.add.at(table, (codes, y), 1)
        conflicts = int(len(y) - table.max(axis=1).sum())
        covered = len(set(table.argmax(axis=1).tolist())) == present
        if not conflicts and covered:
            same = "copy" if len(values) == present else "code"
            return same, f"each of its {len(values)} values stands for one class, in all {len(y)} rows"  # type: ignore[return-value]
        if covered and skill >= NOISY_CODE and skill - rest >= GAP and len(values) <= 2 * present:
            return "noisy copy", f"its {len(values)} values give the class away in all but {conflicts} of {len(y)} rows"
        return "", ""
    if skill < NOISY_CODE or skill - rest < GAP:
        return "", ""
    room = _room(x, y)
    if room >= ROOM:
        return "noisy copy", f"its values leave a gap of {room:.1f} standard deviations between the classes"
    return "", ""


def _room(x: np.ndarray, y: np.ndarray) -> float:
    """Smallest gap between the ranges of neighbouring classes over the mean within-class deviation; <= 0: overlap."""
    ranges = sorted((float(x[y == c].min()), float(x[y == c].max()), float(x[y == c].std())) for c in np.unique(y))
    gaps = [later[0] - earlier[1] for earlier, later in itertools.pairwise(ranges)]
    return min(gaps) / max(float(np.mean([r[2] for r in ranges])), 1e-12)


def _target_disguise(x: np.ndarray, y: np.ndarray, skill: float, rest: float, lag: float) -> tuple[Kind, str]:
    if not np.ptp(y):
        return "", ""
    slope, offset = np.polyfit(x - x.mean(), y, 1)
    residual = float(np.std(y - slope * (x - x.mean()) - offset) / np.std(y))
    if residual < EXACT:
        return "copy", f"the target is {slope:.4g} times it plus a constant, to {residual:.0e} of the target's spread"
    distinct = len(np.unique(y))
    order = np.argsort(x, kind="stable")
    rises = np.diff(y[order]) * np.sign(slope)
    ties = np.diff(x[order]) == 0
    if distinct >= MIN_ROWS and (rises >= 0).all() and not np.any(rises[ties]):
        return "monotone copy", f"the target rises with it without one exception in {len(x)} rows"
    equal = float((x.astype(np.float32) == y.astype(np.float32)).mean())
    if distinct > len(y) / 2 and equal >= 0.2:
        return "partial copy", f"it equals the target in {equal:.0%} of the rows"
    if skill >= NEAR and skill - rest >= GAP and lag < PERSISTENT:
        return "noisy copy", f"a line through it explains {skill:.2%} of the target"
    return "", ""


def _lag(y: np.ndarray) -> float:
    """Squared correlation of the target with its predecessor in row order."""
    first = y[:, 0]
    if len(first) < MIN_ROWS or not np.ptp(first[:-1]) or not np.ptp(first[1:]):
        return 0.0
    return float(np.corrcoef(first[:-1], first[1:])[0, 1] ** 2)
