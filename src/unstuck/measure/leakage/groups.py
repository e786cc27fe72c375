"""Columns that name whom or what a row belongs to, and whether the split cut through them.

They stand beside the table, or among the inputs: there only where each name has its own label, and names that follow
each other do not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Self

import numpy as np

from unstuck.measure.case import Case
from unstuck.measure.data import Data
from unstuck.measure.leakage.near import nearest, scaled
from unstuck.measure.leakage.origin import Beside, Origin
from unstuck.measure.task import Task

NAMES = re.compile(
    r"(^|[._\s])(groups?|patients?|subjects?|persons?|people|users?|customers?|clients?|participants?|speakers?|writers?"
    r"|sessions?|videos?|clips?|scenes?|famil(y|ies)|households?|donors?|slides?|animals?|tracks?|recordings?|visits?"
    r"|\w*_?ids?)(_?(id|no|nr|code|name|number)s?)?$",
    re.IGNORECASE,
)
"""Names people give to such columns."""
MIN_SIZE = 1.5
"""Rows a group on average, at least; in smaller ones hardly anything is shared."""
ALIKE = 0.5
"""Share of the held-out rows whose nearest training row is of the same group, beyond chance, from which a column
without a telling name counts: rows of one group are then near copies of one another."""
MAX_ROWS = 2_000
MAX_COLUMNS = 1_000
TIED = 0.99
MAX_LABELS = 20
"""Values of a column without a telling name up to which it is taken for classes: every class should be trained on."""
NAME_ROWS = 5
"""Rows a value on average, at least, of an input that is taken for a name."""
MIXED = 0.5
"""Share of the changes of label, from one value to the next, that values in a random order would have. A quantity that
decides the label has few: it is above a border or not."""
FEW_CHANGES = 5


@dataclass(frozen=True)
class Group:
    """One column of groups.

    Attributes:
        groups: how many. shared: share of the held-out rows whose group has training rows too.
        alike: share of held-out rows whose nearest training row is of the same group, less what chance gives, of 1.
        keys: group of each row of `Data.x`, then of `Data.held_x`.
    """

    name: str
    groups: int
    shared: float
    alike: float
    telling: bool
    keys: np.ndarray = field(repr=False, compare=False)


@dataclass(frozen=True)
class Groups:
    """Columns of groups, those that the split cut through most first; `columns`: how many stand beside the table."""

    found: tuple[Group, ...]
    columns: int

    @classmethod
    def of(cls, case: Case) -> Self:
        data, task = case.get(Data), case.get(Task)
        among = [(column, column.codes) for column in _among_inputs(data, task)]
        origin = case.find(Origin) if among else case.get(Origin)
        columns = origin.columns if origin else ()
        beside = [(c, origin.beside(c.codes)) for c in columns] if origin else []
        asked = [(c, keys) for c, keys in beside if origin and _may_group(c, origin.size, keys, data, task)] + among
        neighbour = _neighbours(data) if asked else None
        groups = [_measure(column, keys, len(data.y), neighbour) for column, keys in asked if neighbour]
        found = [group for group in groups if group.telling or group.alike >= ALIKE]
        found.sort(key=lambda g: (-g.telling, -g.shared * max(g.alike, 0.01)))
        return cls(tuple(found), len(columns))


def _among_inputs(data: Data, task: Task) -> Iterator[Beside]:
    """Inputs that name what a row belongs to: each value has one label, and the next value has any."""
    train, held = data.flat, data.held_flat
    if not task.is_classes or task.y.ndim > 1 or len(task.y) != len(train) or not len(held):
        return
    for j, column in enumerate(np.concatenate([train, held]).T[:MAX_COLUMNS]):
        values, keys = np.unique(column, return_inverse=True)
        if not MAX_LABELS < len(values) <= len(column) / NAME_ROWS:
            continue
        owners, labels = np.divmod(np.unique(keys[: len(task.y)] * task.classes + task.y), task.classes)
        if (np.diff(owners) == 0).any():
            continue
        shares = np.bincount(labels) / len(labels)
        expected = (len(labels) - 1) * (1 - float((shares**2).sum()))
        if expected >= FEW_CHANGES and np.count_nonzero(np.diff(labels)) >= MIXED * expected:
            yield Beside(data.column(j), "id", keys)


def _may_group(column: Beside, size: int, keys: np.ndarray, data: Data, task: Task) -> bool:
    if column.kind == "time" or column.name.endswith(".index") or not 2 < column.distinct <= size / MIN_SIZE:
        return False
    if not NAMES.search(column.name) and (column.distinct <= MAX_LABELS or data.restores_inputs):
        return False
    return not _is_label(column, keys[: len(data.y)], task) and not _is_feature(keys[: len(data.y)], data)


def _is_label(column: Beside, keys: np.ndarray, task: Task) -> bool:
    """Whether the labels decide the column: it is another form of them."""
    labels = task.y if task.y.ndim == 1 else task.y[:, 0]
    if len(labels) != len(keys):  # a label for each step of a row
        return False
    if task.y.ndim == 1:
        pairs = np.unique(np.stack([labels, keys]), axis=1).shape[1]
        return bool(pairs <= len(np.unique(labels)) * 1.01)
    order = np.argsort(labels, kind="stable")
    steps = np.diff(keys[order])
    return bool(((steps >= 0).mean() >= TIED) or ((steps <= 0).mean() >= TIED))


def _is_feature(keys: np.ndarray, data: Data) -> bool:
    """Whether a column of the inputs holds the same values, or several one-hot columns do: the network is meant to
    know them."""
    values, counts = np.unique(keys, return_counts=True)
    one = keys == values[counts.argmax()]
    for column in data.flat.T[:MAX_COLUMNS]:
        own = np.unique(column)
        if len(own) == 2 and np.array_equal(column == own[1], one):
            return True
        if len(own) == len(values) and np.unique(np.stack([column, keys]), axis=1).shape[1] == len(values):
            return True
    return False


def _neighbours(data: Data) -> tuple[np.ndarray, np.ndarray]:
    train, held = scaled(data.flat, data.held_flat)
    rows = np.random.default_rng(0).permutation(len(held))[:MAX_ROWS]
    found = nearest(train, held[rows])
    return rows[found.rows], found.index


def _measure(column: Beside, keys: np.ndarray, count: int, neighbour: tuple[np.ndarray, np.ndarray]) -> Group:
    train, held = keys[:count], keys[count:]
    rows, nearest_row = neighbour
    _, sizes = np.unique(train, return_counts=True)
    chance = float(((sizes / len(train)) ** 2).sum())
    same = float((held[rows] == train[nearest_row]).mean())
    return Group(
        name=column.name,
        groups=column.distinct,
        shared=float(np.isin(held, train).mean()),
        alike=(same - chance) / max(1e-9, 1 - chance),
        telling=bool(NAMES.search(column.name)),
        keys=keys,
    )
