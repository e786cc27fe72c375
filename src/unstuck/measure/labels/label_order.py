"""Whether the rows were in order of their labels when the last of them were held out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from unstuck.measure.case import Case, Missing
from unstuck.measure.data import Data
from unstuck.measure.task import Task


@dataclass(frozen=True)
class LabelOrder:
    """Order of the labels within the training rows, and how those of the held-out rows differ.

    Attributes:
        by_fit: whether `validation_split` took the last rows; else another slice did.
        runs: stretches of equal labels among the training rows (of rises and falls for targets);
            expected: in a random order.
        unseen: share of the held-out rows whose class no training row has (whose target lies outside their range).
        distance: total variation distance between the class shares of both parts; 1 when they have none in common.
    """

    by_fit: bool
    runs: int
    expected: float
    unseen: float
    distance: float

    @classmethod
    def of(cls, case: Case) -> Self:
        data, task = case.get(Data), case.get(Task)
        if data.held_kind != "validation":
            raise Missing("validation rows", "hand validation_data or validation_split to fit")
        if len(task.y) != len(data.y) or task.kind == "multilabel" or (task.y.ndim > 1 and task.y.shape[1] > 1):
            raise Missing("one label a row")
        by_fit = bool(case.fit.body.get("validation_split"))
        if not task.is_classes:
            y, held = task.y[:, 0], task.held_y[:, 0]
            turns = int(np.count_nonzero(np.diff(np.sign(np.diff(y)[np.diff(y) != 0])))) + 1
            outside = float(((held < y.min()) | (held > y.max())).mean())
            return cls(by_fit, turns, 2 * len(y) / 3, outside, outside)  # a random series turns at 2 of 3 rows
        shares = np.bincount(task.y, minlength=task.classes) / len(task.y)
        held_shares = np.bincount(task.held_y, minlength=task.classes) / max(len(task.held_y), 1)
        return cls(
            by_fit,
            int(np.count_nonzero(np.diff(task.y))) + 1,
            1 + (len(task.y) - 1) * float(1 - (shares**2).sum()),
            float(held_shares[shares == 0].sum()),
            float(np.abs(shares - held_shares).sum() / 2),
        )
