"""Training without the rows that are also held out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from unstuck.experiments.base import kept_rows
from unstuck.experiments.experiment import Experiment
from unstuck.experiments.intervention import Intervention

SEED = 31


@dataclass(frozen=True)
class RemoveOverlap(Intervention):
    """Put other training rows, drawn with a fixed seed, in the place of those that are also held out.

    Replacing keeps shapes and the number of steps. Weight 0 would keep them too, but Keras divides a batch's loss
    by its rows whatever their weights, so the effective learning rate would fall along with the overlap.

    Attributes:
        rows: numbers of the training rows to take out, in `Data.x`.
        labels: canonical labels of all rows of `Data.x`, to score training skill by.
        count: how many rows go, for the report.
    """

    rows: np.ndarray = field(repr=False, compare=False)
    labels: np.ndarray = field(repr=False, compare=False)
    count: int

    @property
    def label(self) -> str:
        return f"{self.count} overlapping training rows removed"

    def apply(self, experiment: Experiment) -> Experiment:
        kept = kept_rows(len(self.labels), len(experiment.y))
        out = np.isin(kept, self.rows)
        if out.all() or not out.any():
            raise ValueError(f"{int(out.sum())} of {len(kept)} training rows would be removed")
        order = np.arange(len(kept))
        order[out] = np.random.default_rng(SEED).choice(order[~out], int(out.sum()))
        changed = {
            "x": tuple(array[order] for array in experiment.x),
            "y": experiment.y[order],
            "weight": None if experiment.weight is None else experiment.weight[order],
            "scored_y": self.labels[kept][order],
        }
        return replace(experiment, **changed)

    def describe(self) -> dict[str, Any]:
        return {"type": "remove-overlap", "rows": self.count}
