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
NOTHING_LEFT = 0.02
"""Share of the labels' entropy or variance that the inputs determine at which nothing can be learnt, whatever the
network. Low, because a few percent are a result where labels are a matter of chance (clicks, prices)."""


@dataclass(frozen=True)
class Twins:
    """Groups of equal inputs among the recorded training rows.

    Attributes:
        conflicting: for each row whether another row has the same inputs and another label, (n,).
        distinct: number of different inputs.
        ceiling: share of the labels' entropy (of their variance, where they are numbers) on these rows that the inputs
            determine: 1 without conflicts, 0 when every input has the labels of all. Inputs that are seldom repeated
            determine more of a sample than of what it was drawn from.
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
        labels = np.eye(task.classes)[task.y] if task.is_classes else np.nan_to_num(task.y)
        return cls(
            conflicting=_conflicting(labels, group),
            distinct=int(group.max(initial=-1)) + 1,
            ceiling=_explained(labels, group, entropy=task.is_classes),
        )


def _groups(inputs: tuple[np.ndarray, ...]) -> np.ndarray:
    """Number of the group of equal inputs of each row, (n,)."""
    rows = np.concatenate([array.reshape(len(array), -1).astype(np.float32) for array in inputs], axis=1)
    return np.asarray(np.unique(row_hashes(rows), return_inverse=True)[1]).reshape(-1)


def _explained(labels: np.ndarray, group: np.ndarray, *, entropy: bool) -> float:
    """Share of the entropy or variance of labels (n, k) that lies between the groups."""
    count = np.bincount(group)
    means = np.stack([np.bincount(group, weights=column) / count for column in labels.T], axis=1)[group]
    base = labels.mean(axis=0)
    if entropy:
        right = labels.argmax(axis=1)[:, None]
        left = -np.log(np.take_along_axis(means, right, axis=1)).mean()
        whole = -np.log(base[right]).mean()
    else:
        left, whole = ((labels - means) ** 2).mean(), ((labels - base) ** 2).mean()
    return float(1 - left / whole) if whole > 0 else float("nan")


def _conflicting(labels: np.ndarray, group: np.ndarray) -> np.ndarray:
    low, high = (np.full((group.max(initial=-1) + 1, labels.shape[1]), v) for v in (np.inf, -np.inf))
    np.minimum.at(low, group, labels)
    np.maximum.at(high, group, labels)
    apart = np.asarray((high - low > SAME * np.maximum(np.abs(high), np.abs(low))).any(axis=1))
    return np.asarray(apart[group])
