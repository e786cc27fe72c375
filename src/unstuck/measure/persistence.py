"""The naive forecast: the next value is the last one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from unstuck.measure.case import Case, Missing
from unstuck.measure.data import Data
from unstuck.measure.leakage.windows import Windows
from unstuck.measure.task import Task


@dataclass(frozen=True)
class Persistence:
    """What repeating a value of the last step of each window is worth, in the units of the targets.

    Attributes:
        skill: on the held-out rows (see `Task.skill`); of several features, of the one that fits training rows best.
    """

    skill: float

    @classmethod
    def of(cls, case: Case) -> Self:
        data, task, windows = case.get(Data), case.get(Task), case.get(Windows)
        if task.is_classes or task.y.ndim != 2 or task.y.shape[1] != 1:
            raise Missing("one number to forecast")
        last = 0 if windows.reversed else -1
        train, held = (x[0][:, last].reshape(len(x[0]), -1) for x in (data.x, data.held_x))
        fits = [task.skill(train[:, [j]], task.y) for j in range(train.shape[1])]
        return cls(task.skill(held[:, [int(np.argmax(fits))]], task.held_y))
