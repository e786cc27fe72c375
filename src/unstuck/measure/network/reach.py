"""What the output's activation can reach of the targets, and what of a squared error lies beyond."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from unstuck.measure.case import Case, Missing
from unstuck.measure.data import Data
from unstuck.measure.setup import Head, Setup

RANGES = {
    "sigmoid": (0.0, 1.0),
    "hard_sigmoid": (0.0, 1.0),
    "softmax": (0.0, 1.0),
    "sparsemax": (0.0, 1.0),
    "tanh": (-1.0, 1.0),
    "hard_tanh": (-1.0, 1.0),
    "softsign": (-1.0, 1.0),
    "relu6": (0.0, 6.0),
    "relu": (0.0, np.inf),
    "softplus": (0.0, np.inf),
    "exponential": (0.0, np.inf),
}
"""Values that activations can give (keras/src/activations/activations.py)."""

SMALL_SHARE = 0.02
"""Share of the variance beyond the range under which the range does not matter: 0.02 of R2 at most."""
LARGE_SHARE = 0.2
"""Share of the variance from which the range alone keeps R2 from being good, whatever else is wrong."""


@dataclass(frozen=True)
class Reach:
    """Targets beyond the range of the output.

    Attributes:
        low, high: bounds of the output.
        outside: share of target values beyond them.
        floor: mean squared error of the nearest values that can be reached: no weights get below.
        share: `floor` relative to the variance of the targets (mean over their columns); from 1 on the mean is as good.
    """

    low: float
    high: float
    outside: float
    floor: float
    share: float

    @classmethod
    def of(cls, case: Case) -> Self:
        head, y = case.get(Setup).head, np.asarray(case.get(Data).y, dtype=np.float64)
        bounds = range_of(head)
        if bounds is None or not np.isfinite(y).any():
            raise Missing("an output activation with known bounds")
        low, high = bounds
        spread = float(np.nanvar(np.where(np.isfinite(y), y, np.nan).reshape(len(y), -1), axis=0).mean())
        y = y[np.isfinite(y)]
        beyond = y - np.clip(y, low, high)
        floor = float((beyond**2).mean())
        share = floor / spread if spread > 0 else float(floor > 0)
        return cls(low, high, float((beyond != 0).mean()), floor, share)


def range_of(head: Head) -> tuple[float, float] | None:
    """Lowest and highest value of the output's activation, None where it is not bounded or not known."""
    if head.activation_layer.kind == "ReLU":
        highest = head.activation_layer.config.get("max_value")
        slope = head.activation_layer.config.get("negative_slope")
        return None if slope else (0.0, float(highest) if highest else np.inf)
    return RANGES.get(head.activation)
