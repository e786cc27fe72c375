"""Rows that were made from other rows: repeated to balance the classes, or blended of two (SMOTE)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Self

import numpy as np

from unstuck.measure.case import Case, Missing
from unstuck.measure.data import Data
from unstuck.measure.leakage.overlap import discrete
from unstuck.measure.leakage.rows import Rows
from unstuck.measure.quartiles import evened
from unstuck.measure.task import Task

NEIGHBOURS, MOST_NEIGHBOURS = 12, 48
ON_LINE = 2e-4
"""Distance from the line through two rows, relative to their distance, that float32 leaves to a point on it."""
MIN_COLUMNS = 4
"""In fewer dimensions a row lies near some line by chance."""
MAX_TESTED = 3_000
REPEATED, NOT_REPEATED = 0.3, 0.05
"""A class counts as repeated when so many of its rows have a double, and another class hardly any."""
MIN_MADE = 0.02
SEED = 43

Kind = Literal["", "repeated", "blended"]


@dataclass(frozen=True)
class Resampled:
    """Rows made from others, in training and held-out rows together.

    Attributes:
        kind: how, "" when none were found. classes: the classes they are of.
        held: held-out rows that share an origin with training rows; of: held-out rows looked at.
        made: for each row of `Data.x`, then of `Data.held_x`, whether it was made from others.
        groups: for each of them the number of its origin: equal for copies.
        site: of the recorded call that made them, if any; estimator: its name.
    """

    kind: Kind
    classes: tuple[int, ...]
    held: int
    looked_at: int
    made: np.ndarray = field(repr=False, compare=False)
    groups: np.ndarray = field(repr=False, compare=False)
    site: dict[str, object] | None = None
    estimator: str = ""

    @classmethod
    def of(cls, case: Case) -> Self:
        data, task, rows = case.get(Data), case.get(Task), case.get(Rows)
        if not task.is_classes or len(task.y) != len(data.y) or len(task.held_y) != len(data.held_y):
            raise Missing("one class a row")
        if not len(rows.held):
            raise Missing("held-out rows", "hand validation_data to fit, or evaluate on other rows afterwards")
        if discrete(data):
            raise Missing("rows that differ in more than a few values")
        labels = np.concatenate([task.y, task.held_y])
        hashes = np.concatenate([rows.train[rows.train_sample], rows.held[rows.held_sample]])
        _, groups = np.unique(hashes, return_inverse=True)
        count = len(data.y)
        site, estimator = _recorded(case)
        made, classes = _repeated(groups, labels)
        kind: Kind = "repeated" if classes else ""
        held = int(np.isin(groups[count:], groups[:count])[np.isin(labels[count:], classes)].sum()) if classes else 0
        if not classes and data.flat.shape[1] >= MIN_COLUMNS:
            made, classes = _blended(np.concatenate([data.flat, data.held_flat]), labels)
            kind = "blended" if classes else ""
            held = int(made[count:].sum()) if made[:count].any() else 0
        return cls(kind, classes, held, len(data.held_y), made, groups, site, estimator)


def _repeated(groups: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, tuple[int, ...]]:
    """Later copies of a row, where some classes consist of copies and others do not."""
    order = np.argsort(groups, kind="stable")
    later = np.zeros(len(groups), bool)
    later[order[1:]] = groups[order[1:]] == groups[order[:-1]]
    shares = {int(c): float(later[labels == c].mean()) for c in np.unique(labels)}
    often = tuple(c for c, share in shares.items() if share >= REPEATED)
    if not often or min(shares.values()) > NOT_REPEATED:
        return np.zeros(len(groups), bool), ()
    return later, often


def _blended(table: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, tuple[int, ...]]:
    """Rows on the straight line between two of their nearest neighbours of the same class."""
    (table,) = evened(np.nan_to_num(table, posinf=0, neginf=0))
    table = table - table.mean(axis=0)
    spread = table.std(axis=0)
    table = table[:, spread > 0] / spread[spread > 0]
    made, classes = np.zeros(len(table), bool), []
    names, sizes = np.unique(labels, return_counts=True)
    for name in names[np.argsort(sizes)]:
        own = np.flatnonzero(labels == name)
        if len(own) < NEIGHBOURS + 2:
            continue
        own = np.sort(np.random.default_rng(SEED).permutation(own)[:MAX_TESTED])
        between = _on_lines(table[own], NEIGHBOURS)
        if between.mean() >= MIN_MADE and between.sum() >= 3:
            made[own] = _all_between(table[own], between)
            classes.append(int(name))
    return made, tuple(classes)


def _all_between(rows: np.ndarray, between: np.ndarray) -> np.ndarray:
    """Those that lie between two others, also where the rows that were made hide these: they are put aside, anew."""
    made, neighbours = between.copy(), NEIGHBOURS
    while neighbours <= MOST_NEIGHBOURS:
        left = np.flatnonzero(~made)
        more = _on_lines(rows[left], neighbours)
        made[left] = more
        neighbours = neighbours if more.any() else 2 * neighbours
    return made


def _on_lines(rows: np.ndarray, neighbours: int) -> np.ndarray:
    """Whether each row lies between two of its neighbours, within float32 rounding."""
    from sklearn.neighbors import NearestNeighbors

    neighbours = min(neighbours, len(rows) - 1)
    _, index = NearestNeighbors(n_neighbors=neighbours + 1, algorithm="brute").fit(rows).kneighbors(rows)
    first, second = np.triu_indices(neighbours, 1)
    found = np.zeros(len(rows), bool)
    for i, near in enumerate(index[:, 1:]):
        a, b = rows[near[first]], rows[near[second]]
        line, offset = b - a, rows[i] - a
        length = (line**2).sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            along = (line * offset).sum(axis=1) / length
            off = np.sqrt(((offset - along[:, None] * line) ** 2).sum(axis=1) / length)
        found[i] = bool(((along > 0.001) & (along < 0.999) & (off < ON_LINE)).any())
    return found


def _recorded(case: Case) -> tuple[dict[str, object] | None, str]:
    for event in case.run.events:
        if event.kind == "flow" and event.body.get("operation") == "fit_resample":
            return event.body.get("site"), str(event.body.get("estimator"))
    return None, ""
