"""Normalization layers and whether they ever learnt a mean and a variance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from unstuck.measure.case import Case, Missing
from unstuck.measure.setup import Layer, Setup


@dataclass(frozen=True)
class Normalisers:
    """The Normalization layers of a model, in call order.

    Attributes:
        idle: those that pass their input on as it is: not adapted, and no mean or variance given.
        active: the others.
        learnt: mean and variance of those that were adapted, by layer name.
    """

    idle: tuple[Layer, ...]
    active: tuple[Layer, ...]
    learnt: Mapping[str, tuple[np.ndarray, np.ndarray]]

    @classmethod
    def of(cls, case: Case) -> Self:
        setup = case.get(Setup)
        layers = tuple(layer for layer in setup.layers if layer.kind == "Normalization" and layer.builtin)
        if not layers:
            return cls((), (), {})
        values = _values(case)
        if not values:
            raise Missing("the weights of the Normalization layers")
        learnt = {layer.name: moments for layer in layers if (moments := _moments(layer, values))}
        idle = tuple(layer for layer in layers if layer.name in learnt and _identity(*learnt[layer.name]))
        for layer in idle:
            del learnt[layer.name]
        return cls(idle, tuple(layer for layer in layers if layer not in idle), learnt)


def belongs(path: str, layer: str) -> bool:
    """Whether the variable of this path is one of the layer's own.

    >>> belongs("sequential/normalization/mean", "normalization"), belongs("normalization_1/mean", "normalization")
    (True, False)
    """
    return layer in path.split("/")[:-1]


def _values(case: Case) -> dict[str, np.ndarray]:
    """Variables of the first snapshot by path; those of Normalization layers do not change in training."""
    paths = [variable["path"] for variable in case.fit.body["model"].get("variables") or []]
    for step in case.fit.steps:
        stored = case.run.weights(case.fit, step)
        if stored and len(stored) == len(paths):
            return dict(zip(paths, stored, strict=True))
    return {}


def _moments(layer: Layer, values: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray] | None:
    """Mean and variance among the layer's weights; None when they were given to it instead."""
    own = {path.rsplit("/", 1)[-1]: value for path, value in values.items() if belongs(path, layer.name)}
    return (own["mean"], own["variance"]) if {"mean", "variance"} <= set(own) else None


def _identity(mean: np.ndarray, variance: np.ndarray) -> bool:
    return bool(np.all(mean == 0) and np.all(variance == 1))
