"""Numbers in the place of NaN and infinity."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from unstuck.experiments.experiment import Experiment
from unstuck.experiments.intervention import Intervention
from unstuck.finding import Fix
from unstuck.measure.setup import Setup


@dataclass(frozen=True)
class ImputeInputs(Intervention):
    """Replace entries that are not finite by the mean of the finite training values of their column."""

    @property
    def label(self) -> str:
        return "missing inputs filled with the column mean"

    def apply(self, experiment: Experiment) -> Experiment:
        means = [_means(array) for array in experiment.x]
        return replace(
            experiment,
            x=tuple(_filled(array, mean) for array, mean in zip(experiment.x, means, strict=True)),
            held_x=tuple(_filled(array, mean) for array, mean in zip(experiment.held_x, means, strict=True)),
        )

    def edit(self, setup: Setup) -> Fix | None:
        return Fix(
            title="fill the missing inputs with the mean of the training rows",
            applicability="sketch",
            alternative="leave out the rows or columns that hold them",
        )


def _means(array: np.ndarray) -> np.ndarray:
    """Mean of the finite values of each position, 0 where there are none, shape (1, ...)."""
    if array.dtype.kind != "f":
        return np.zeros((1, *array.shape[1:]))
    finite = np.isfinite(array)
    total = np.where(finite, array, 0).sum(axis=0, keepdims=True, dtype=np.float64)
    mean: np.ndarray = total / np.maximum(finite.sum(axis=0, keepdims=True), 1)
    return mean


def _filled(array: np.ndarray, mean: np.ndarray) -> np.ndarray:
    if array.dtype.kind != "f":
        return array
    return np.where(np.isfinite(array), array, mean).astype(array.dtype)
