"""Columns that are no cause of the outcome: its effect, arithmetic that gives it, a value only it leaves, a row number.

Strength alone accuses nobody: an honest feature may be strong. Four signs are looked for that an honest strong
feature does not leave. An effect of the outcome is independent of all other columns once the outcome is known, while
these columns still say something about the outcome when the effect is known; for a cause it is the other way round.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np

from unstuck.measure.case import Case
from unstuck.measure.data import Data
from unstuck.measure.leakage.solo import Solo
from unstuck.measure.task import Task

STRONG = 0.8
"""Skill of a column alone from which it is asked whether it is an effect."""
GAP = 0.25
"""Skill by which it must stand out from the next best: in easy problems several columns are strong."""
HELPS = 1e-5
"""p-value under which the other columns say something that the suspicious one does not."""
INDEPENDENT = 1e-3
WEAKER, NOTHING = 0.1, 0.03
"""Share of the explained variance that may be left in the direction that should be empty, where it may be luck, and
where it is no luck but what cutting the target into bins leaves."""
EXACT = 1e-5
"""Residual of an identity relative to the spread of the target, in float32."""
SPARE = 2
"""Columns that must be left beside those of an identity: with none left, the identity is the task."""
EQUIVALENT = 0.98
COMMON = 30
"""Rows with one value from which it is more than a coincidence that they are of one class."""
SPARSE = 1.5
"""Numbers there may be for each row: some rows were dropped since they were numbered."""
STEPS = 0.1
"""How far a gap between row numbers may be from whole, in steps: float32 after scaling leaves 1e-3."""
IN_ORDER = 0.2
"""Changes of the label from one row number to the next, against those of a random order, up to which the rows stood in
the order of their labels."""
BINS, MAX_ROWS, MAX_OTHERS, MAX_IN_IDENTITY = 20, 5_000, 20, 40
SEED = 47

Kind = Literal["effect", "identity", "value", "row number"]


@dataclass(frozen=True)
class Proxy:
    """Columns that give the outcome away together; `text` says how."""

    kind: Kind
    columns: tuple[int, ...]
    names: tuple[str, ...]
    skill: float
    text: str


@dataclass(frozen=True)
class Proxies:
    """What was found. `best`, `next_best`: skill of the two best columns that are no copies of the label."""

    found: tuple[Proxy, ...]
    best: float
    next_best: float

    @classmethod
    def of(cls, case: Case) -> Self:
        solo, data, task = case.get(Solo), case.get(Data), case.get(Task)
        names = data.columns if len(data.columns) == data.flat.shape[1] else ()
        return cls.measure(data.flat, task, solo, names, held=len(data.held_y))

    @classmethod
    def measure(cls, table: np.ndarray, task: Task, solo: Solo, names: tuple[str, ...] = (), *, held: int = 0) -> Self:
        """Look for proxies among the columns of `table`, (n, d), that `solo` does not call copies of the label.

        Args:
            held: how many rows of the same table are held out.
        """
        rows = np.sort(np.random.default_rng(SEED).permutation(len(table))[:MAX_ROWS])
        x, y = np.nan_to_num(table[rows], posinf=0.0, neginf=0.0), task.y[rows]
        open_columns = [c for c in solo.columns if not c.kind]
        skills = [c.skill for c in open_columns] + [0.0, 0.0]

        def called(column: int) -> str:
            return names[column] if names else f"column {column}"

        found: list[Proxy] = []
        if task.kind != "multilabel" and not (y.ndim > 1 and y.shape[1] > 1):
            if open_columns and skills[0] >= STRONG and skills[0] - skills[1] >= GAP and not solo.copies:
                top = open_columns[0].index
                others = [c.index for c in solo.columns if c.index != top][:MAX_OTHERS]
                text = _effect(x, y, top, others, task)
                found += [Proxy("effect", (top,), (called(top),), skills[0], text)] if text else []
            for column in open_columns if task.is_classes else ():
                told: dict[Kind, str] = {
                    "value": _telling_value(x[:, column.index], y),
                    "row number": _row_number(x[:, column.index], y, len(table) + held),
                }
                found += [
                    Proxy(kind, (column.index,), (called(column.index),), column.skill, text)
                    for kind, text in told.items()
                    if text
                ]
            if not task.is_classes and not solo.copies:
                found += [Proxy("identity", p, tuple(map(called, p)), 1.0, text) for p, text in _identity(x, y[:, 0])]
        return cls(tuple(found), skills[0], skills[1])


def _effect(x: np.ndarray, y: np.ndarray, top: int, others: list[int], task: Task) -> str:
    z = x[:, others]
    z = z[:, z.std(axis=0) > 0]
    if not z.shape[1]:
        return ""
    outcome = np.eye(task.classes)[y][:, 1:] if task.is_classes else y
    own = x[:, [top]]
    helps, p_helps = _added(outcome[:, :1] if task.classes <= 2 else outcome, _bins(own[:, 0]), z)
    known = np.eye(task.classes)[y] if task.is_classes else _bins(y[:, 0])
    left, p_left = _added(own, known, z)
    empty = (p_left > INDEPENDENT and left < WEAKER * helps) or left < NOTHING * helps
    # Where all columns are independent once the label is known (counts of words), all are its effects: none stands out.
    alike = all(_added(z[:, [k]], known, np.delete(z, k, axis=1))[1] > INDEPENDENT for k in range(min(3, z.shape[1])))
    if p_helps < HELPS and empty and not (alike and z.shape[1] > 1):
        return (
            f"once the label is known it has nothing to do with any other column (p = {p_left:.2f}), "
            f"though these say more about the label than it does (p = {max(p_helps, 1e-300):.0e}): so its effect is"
        )
    return ""


def _bins(values: np.ndarray) -> np.ndarray:
    """Design matrix of a free function of `values`: an indicator for each, or for each of 20 bins, and a line in it."""
    distinct, codes = np.unique(values, return_inverse=True)
    if len(distinct) <= BINS:
        return np.eye(len(distinct))[codes]
    edges = np.quantile(values, np.linspace(0, 1, BINS + 1)[1:-1])
    inside = np.eye(BINS)[np.searchsorted(edges, values)]
    centred = (values - values.mean()) / values.std()
    return np.concatenate([inside, inside * centred[:, None]], axis=1)


def _added(target: np.ndarray, known: np.ndarray, more: np.ndarray) -> tuple[float, float]:
    """Share of variance of `target` that `more` explains beyond `known`, and the p-value that it is luck (F-test)."""
    from scipy.stats import f

    more = (more - more.mean(axis=0)) / np.where(more.std(axis=0) > 0, more.std(axis=0), 1)
    without = _residual(target, known)
    with_it = _residual(target, np.concatenate([known, more], axis=1))
    count = more.shape[1]
    free = len(target) - known.shape[1] - count
    before, after = float((without**2).sum()), float((with_it**2).sum())
    if free < 10 or before <= 0:
        return 0.0, 1.0
    gained = (before - after) / before
    ratio = ((before - after) / count) / max(after / free, 1e-300)
    return gained, float(f.sf(ratio, count * target.shape[1], free * target.shape[1]))


def _residual(target: np.ndarray, design: np.ndarray) -> np.ndarray:
    fitted, *_ = np.linalg.lstsq(design, target, rcond=None)
    return np.asarray(target - design @ fitted)


def _telling_value(column: np.ndarray, y: np.ndarray) -> str:
    """A value, of a column of many, that the rows of one class have and hardly any other row."""
    values, codes, counts = np.unique(column, return_inverse=True, return_counts=True)
    if len(values) <= BINS:
        return ""
    often = int(counts.argmax())
    at = codes == often
    if counts[often] < COMMON or at.mean() > 0.9:
        return ""
    label = int(np.bincount(y[at]).argmax())
    of_class = y == label
    if (of_class & at).sum() < EQUIVALENT * at.sum() or (of_class & at).sum() < EQUIVALENT * of_class.sum():
        return ""
    return f"it is {values[often]:.4g} in {(of_class & at).sum()} of {of_class.sum()} rows of class {label}, else never"


def _row_number(column: np.ndarray, y: np.ndarray, rows: int) -> str:
    """Whole numbers, each once and hardly more of them than rows, whose order is nearly that of the labels."""
    order = np.argsort(column, kind="stable")
    gaps = np.diff(column[order])
    if not len(gaps) or gaps.min() <= 0:
        return ""
    whole = np.round(gaps / gaps.min())
    step = gaps.sum() / whole.sum()
    if whole.sum() >= SPARSE * rows or np.abs(gaps / step - whole).max() > STEPS:
        return ""
    changes = int((np.diff(y[order]) != 0).sum())
    at_random = (len(y) - 1) * (1 - float(((np.bincount(y) / len(y)) ** 2).sum()))
    if changes > IN_ORDER * at_random:
        return ""
    return f"it numbers the rows, and in their order the label changes {changes} times, at random {at_random:.0f} times"


def _identity(x: np.ndarray, y: np.ndarray) -> list[tuple[tuple[int, ...], str]]:
    """Two columns whose difference, sum, product or ratio is the target, or three whose sum is."""
    spread = y.std()
    width = min(x.shape[1], MAX_IN_IDENTITY)
    if not spread or x.shape[1] < 2 + SPARE:
        return []
    largest = EXACT * max(spread, np.abs(y).max())

    def is_target(value: np.ndarray) -> bool:
        return bool(np.isfinite(value).all() and np.abs(value - y).max() < largest)

    with np.errstate(all="ignore"):
        for i, j in itertools.combinations(range(width), 2):
            a, b = x[:, i], x[:, j]
            forms = {f"column {i} minus column {j}": a - b, f"column {j} minus column {i}": b - a}
            forms |= {f"column {i} plus column {j}": a + b, f"column {i} times column {j}": a * b}
            forms |= {f"column {i} over column {j}": a / b, f"column {j} over column {i}": b / a}
            for words, value in forms.items():
                if is_target(value):
                    return [((i, j), f"{words} is the target, in all {len(y)} rows")]
    if x.shape[1] >= 3 + SPARE:
        for i, j, k in itertools.combinations(range(min(width, 15)), 3):
            if is_target(x[:, i] + x[:, j] + x[:, k]):
                return [((i, j, k), f"the sum of columns {i}, {j} and {k} is the target, in all {len(y)} rows")]
    return []
