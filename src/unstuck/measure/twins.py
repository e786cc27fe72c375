"""Training rows with equal inputs, and how far their labels agree: a bound on what any network can explain of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from unstuck.measure.case import Case, Missing
from unstuck.measure.data import Data
from unstuck.measure.task import Task
from unstuck.record.fingerprint import row_hashes

SAME = 1e-6
"""Relative difference of two regression targets up to which they agree (float32 carries seven digits)."""


@dataclass(frozen=True)
class Twins:
    """Groups of equal inputs among the recorded training rows.

    Attributes:
        conflicting: for each row whether another row has the same inputs and another label, (n,).
        distinct: number of different inputs.
        ceiling: the highest skill on these rows that any function of the inputs can have.
    """

    conflicting: np.ndarray
    distinct: int
    ceiling: float

    @classmethod
    def of(cls, case: Case) -> Self:
        data, task = case.get(Data), case.get(Task)
        if len(task.y) != len(data.y):
            raise Missing("one label a row (the targets are sequences)")
        group = _groups(data.x)
        best = _best_answers(task, group)
        labels = np.eye(task.classes)[task.y] if task.is_classes else np.nan_to_num(task.y)
        return cls(
            conflicting=_conflicting(labels, group),
            distinct=int(group.max(initial=-1)) + 1,
            ceiling=task.skill(best, task.y) if len(best) else float("nan"),
        )


def _groups(inputs: tuple[np.ndarray, ...]) -> np.ndarray:
    """Number of the group of equal inputs of each row, (n,)."""
    rows = np.concatenate([array.reshape(len(array), -1).astype(np.float32) for array in inputs], axis=1)
    return np.asarray(np.unique(row_hashes(rows), return_inverse=True)[1]).reshape(-1)


def _best_answers(task: Task, group: np.ndarray) -> np.ndarray:
    """For each row the mean label of its group: class shares, or the mean target."""
    labels = np.eye(task.classes)[task.y] if task.is_classes else np.nan_to_num(task.y)
    count = np.bincount(group)
    means = np.stack([np.bincount(group, weights=column) / count for column in labels.T], axis=1)
    return np.asarray(means[group])


def _conflicting(labels: np.ndarray, group: np.ndarray) -> np.ndarray:
    low, high = (np.full((group.max(initial=-1) + 1, labels.shape[1]), v) for v in (np.inf, -np.inf))
    np.minimum.at(low, group, labels)
    np.maximum.at(high, group, labels)
    apart = np.asarray((high - low > SAME * np.maximum(np.abs(high), np.abs(low))).any(axis=1))
    return np.asarray(apart[group])
