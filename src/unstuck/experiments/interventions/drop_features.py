"""Some columns taken away."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from unstuck.experiments.experiment import Experiment
from unstuck.experiments.intervention import Intervention
from unstuck.measure.data import shortened


@dataclass(frozen=True)
class DropFeatures(Intervention):
    """Set columns to 0 in training and held-out inputs, so that they say nothing and shapes stay.

    Attributes:
        columns: numbers of the columns, inputs side by side as in `Data.flat`.
        names: what to call them, or empty.
    """

    columns: tuple[int, ...]
    names: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        names = self.names or tuple(str(column) for column in self.columns)
        return f"{'column' if len(names) == 1 else 'columns'} {shortened(names)} dropped"

    def apply(self, experiment: Experiment) -> Experiment:
        return replace(
            experiment, x=_without(experiment.x, self.columns), held_x=_without(experiment.held_x, self.columns)
        )


def _without(inputs: tuple[np.ndarray, ...], columns: tuple[int, ...]) -> tuple[np.ndarray, ...]:
    changed, start = [], 0
    for array in inputs:
        flat = array.reshape(len(array), -1).copy()
        flat[:, [c - start for c in columns if start <= c < start + flat.shape[1]]] = 0
        start += flat.shape[1]
        changed.append(flat.reshape(array.shape))
    return tuple(changed)
