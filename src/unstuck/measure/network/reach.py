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

ROUNDING = 1e-6
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
        sums_to_one: whether it is the rows' sums that are out of reach: softmax shares 1 out among the columns.
    """

    low: float
    high: float
    outside: float
    floor: float
    share: float
    sums_to_one: bool = False

    @classmethod
    def of(cls, case: Case) -> Self:
        head, y = case.get(Setup).head, np.asarray(case.get(Data).y, dtype=np.float64)
        bounds = range_of(head)
        if bounds is None or not np.isfinite(y).any():
            raise Missing("an output activation with known bounds")
        low, high = bounds
        spread = float(np.nanvar(np.where(np.isfinite(y), y, np.nan).reshape(len(y), -1), axis=0).mean())
        within = float(np.nanmin(y)) >= low and float(np.nanmax(y)) <= high
        shared_out = head.activation == "softmax" and y.ndim == 2 and y.shape[1] > 1 and np.isfinite(y).all()
        if shared_out:
            beyond = y - _nearest_shares(y)  # along the last axis: the values of a row sum to 1
        else:
            y = y[np.isfinite(y)]
            beyond = y - np.clip(y, low, high)
        floor = float((beyond**2).mean())
        share = floor / spread if spread > 0 else float(floor > 0)
        outside = float((np.abs(beyond) > ROUNDING).mean())
        return cls(low, high, outside, floor, share, sums_to_one=bool(shared_out and within))


def _nearest_shares(y: np.ndarray) -> np.ndarray:
    """The nearest rows of values from 0 up that sum to 1 (Held, Wolfe and Crowder 1974), (n, k)."""
    ordered = -np.sort(-y, axis=1)
    over = (np.cumsum(ordered, axis=1) - 1) / np.arange(1, y.shape[1] + 1)
    kept = (ordered > over).sum(axis=1)  # how many are above 0: a prefix of the ordered ones
    nearest: np.ndarray = np.maximum(y - over[np.arange(len(y)), kept - 1][:, None], 0)
    return nearest


def range_of(head: Head) -> tuple[float, float] | None:
    """Lowest and highest value of the output's activation, None where it is not bounded or not known."""
    if head.activation_layer.kind == "ReLU":
        highest = head.activation_layer.config.get("max_value")
        slope = head.activation_layer.config.get("negative_slope")
        return None if slope else (0.0, float(highest) if highest else np.inf)
    return RANGES.get(head.activation)
