"""The kernels as they were recorded: how much they amplify, and whether their units differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from unstuck.measure.case import Case, Missing

EQUAL = 1e-6
"""Relative spread under which the weights of two units count as one: float32 keeps about seven digits."""
TOGETHER = 0.01
"""Spread, as a share of the way the weights have come, under which copies have stayed copies: a matrix product may
round the columns of equal kernels differently, and training makes that grow. What tells units apart moves them so."""


@dataclass(frozen=True)
class Kernel:
    """One kernel in the first and in the last snapshot.

    Attributes:
        path: path of the variable; layer: name of the layer that owns it.
        units: length of its last axis.
        gain, last_gain: root mean square of the weights times the square root of the inputs a unit sums up. A gain
            of 1 keeps the variance of inputs of variance 1 (Glorot and Bengio 2010); He's initialiser has 1.4.
        alike: whether all units hold the same weights, and not zero, in the first snapshot.
        last_alike: whether they still do in the last, but for what rounding has made of it.
    """

    path: str
    layer: str
    units: int
    gain: float
    last_gain: float
    alike: bool
    last_alike: bool


@dataclass(frozen=True)
class Kernels:
    """All trainable kernels of rank 2 or more, from the input to the output."""

    kernels: tuple[Kernel, ...]
    steps: int

    @classmethod
    def of(cls, case: Case) -> Self:
        fit, variables = case.fit, case.fit.body["model"]["variables"]
        if not fit.steps or fit.steps[0] > 1:  # a model without an input shape is built in its first step
            raise Missing("the weights training began with", "give the model an input shape")
        first, last = (case.run.weights(fit, step) for step in (fit.steps[0], fit.steps[-1]))
        found = []
        for variable, before, after in zip(variables, first, last, strict=False):
            plain = variable["path"].endswith("/kernel") and variable["trainable"] and len(variable["shape"]) >= 2
            if plain:
                found.append(_kernel(variable["path"], before, after))
        return cls(tuple(found), fit.steps[-1])


def _kernel(path: str, first: np.ndarray, last: np.ndarray) -> Kernel:
    start, end = (a.reshape(-1, a.shape[-1]).astype(np.float64) for a in (first, last))
    alike, last_alike = _alike(start), _alike(end, moved=float(np.abs(end - start).max(initial=0.0)))
    return Kernel(path, path.split("/")[-2], start.shape[1], _gain(start), _gain(end), alike, last_alike)


def _gain(weights: np.ndarray) -> float:
    return float(np.sqrt((weights**2).mean() * len(weights)))


def _alike(weights: np.ndarray, moved: float = 0.0) -> bool:
    """Whether the columns of (inputs, units), which have moved so far, are one column, repeated, that is not zero."""
    size = float(np.abs(weights).max(initial=0.0))
    spread = float(np.ptp(weights, axis=1).max(initial=0.0))
    return weights.shape[1] > 1 and size > 0 and spread <= max(EQUAL * size, TOGETHER * moved)
