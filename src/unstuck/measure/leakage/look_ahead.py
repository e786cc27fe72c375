"""Whether windows of a series hold their own target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from unstuck.measure.case import Case, Missing
from unstuck.measure.data import Data
from unstuck.measure.leakage.windows import Windows
from unstuck.measure.task import Task

EXACT = 1e-3
"""Residual of an affine copy relative to the spread of the target: float32 after scaling keeps 1e-5."""
SAME_SIGN = 0.999
MIN_ROWS = 50


@dataclass(frozen=True)
class LookAhead:
    """The step of the window that is the target.

    Attributes:
        columns: columns of `Data.flat` from that step on, as time runs; empty when there is none. names: for people.
        text: what the target is: `step 12 of its window`.
        nearest: the largest squared correlation of a step with the target.
        naive: R2 of repeating the last step before it.
    """

    columns: tuple[int, ...]
    names: tuple[str, ...]
    text: str
    nearest: float
    naive: float

    @classmethod
    def of(cls, case: Case) -> Self:
        windows, data, task = case.get(Windows), case.get(Data), case.get(Task)
        if len(task.y) != len(data.y) or (task.y.ndim > 1 and task.y.shape[1] > 1) or len(data.y) < MIN_ROWS:
            raise Missing("one target a window")
        x = data.x[0].reshape(len(data.x[0]), windows.steps, -1).astype(np.float64)
        if windows.reversed:
            x = x[:, ::-1]
        y = (task.y if task.y.ndim == 1 else task.y[:, 0]).astype(np.float64)
        if not np.ptp(y):
            raise Missing("targets that vary")
        if task.is_classes and task.classes > 2:
            return cls((), (), "", 0.0, 0.0)
        step, text, nearest = _signs(x, y) if task.is_classes else _copies(x, y)
        if not text:
            return cls((), (), "", nearest, 0.0)
        features = x.shape[2]
        after = range(step, windows.steps)
        steps = [windows.steps - 1 - s for s in after] if windows.reversed else list(after)
        columns = tuple(sorted(s * features + f for s in steps for f in range(features)))
        names = (f"step {step + 1} of {windows.steps}" + (" and later" if len(steps) > 1 else ""),)
        naive = 0.0 if task.is_classes or step == 0 else _explained(x[:, step - 1], y)
        return cls(columns, names, text, nearest, naive)


def _copies(x: np.ndarray, y: np.ndarray) -> tuple[int, str, float]:
    """The earliest step of which `y` is an affine function, or of whose change from the step before."""
    nearest = 0.0
    for step in range(x.shape[1]):
        before = x[:, step - 1] if step else None
        with np.errstate(all="ignore"):
            forms = [("", x[:, step])]
            if before is not None:
                forms += [("the change to ", x[:, step] - before), ("the relative change to ", x[:, step] / before)]
        for words, values in forms:
            for feature in values.T:
                shared = _explained(feature, y)
                nearest = max(nearest, shared)
                if np.sqrt(max(0.0, 1 - shared)) < EXACT:
                    return step, f"{words}step {step + 1} of its window", nearest
    return 0, "", nearest


def _signs(x: np.ndarray, y: np.ndarray) -> tuple[int, str, float]:
    """The earliest step whose rise from the step before is the class."""
    nearest = 0.0
    for step in range(1, x.shape[1]):
        for rise in (x[:, step] > x[:, step - 1]).T:
            agree = float((rise == (y > 0)).mean())
            agree = max(agree, 1 - agree)
            nearest = max(nearest, agree)
            if agree >= SAME_SIGN:
                return step, f"whether step {step + 1} of its window rises", nearest
    return 0, "", nearest


def _explained(feature: np.ndarray, y: np.ndarray) -> float:
    """Squared correlation; 0 where one does not vary or is not finite."""
    feature = feature.reshape(len(y), -1)[:, 0]
    if not np.isfinite(feature).all() or not np.ptp(feature):
        return 0.0
    return float(np.corrcoef(feature, y)[0, 1] ** 2)
