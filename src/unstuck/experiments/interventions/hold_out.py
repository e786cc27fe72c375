"""Rows held out of the training rows, where none were."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from unstuck.experiments.base import kept_rows
from unstuck.experiments.experiment import Experiment
from unstuck.experiments.intervention import Intervention
from unstuck.experiments.interventions.split_again import filled, whole_groups
from unstuck.finding import Fix
from unstuck.measure.setup import Setup

DRAW = 37
SHARE = 0.25
"""Share of the rows that is held out."""


@dataclass(frozen=True)
class HoldOut(Intervention):
    """Hold a quarter of the training rows out, anew for each seed, and score by these alone.

    Attributes:
        labels: canonical labels of the rows of `Data.x`.
        groups: one number a row of `Data.x`; rows of one group (copies, siblings) stay on one side.
    """

    labels: np.ndarray = field(repr=False, compare=False)
    groups: np.ndarray = field(repr=False, compare=False)

    @property
    def label(self) -> str:
        return "a quarter of the training rows held out"

    def apply(self, experiment: Experiment) -> Experiment:
        return self.for_seed(experiment, np.zeros(0), 0)[0]

    def for_seed(self, experiment: Experiment, held_y: np.ndarray, seed: int) -> tuple[Experiment, np.ndarray]:
        count = len(experiment.y)
        kept = kept_rows(len(self.labels), count)
        rng = np.random.default_rng([seed, DRAW])
        held, free = whole_groups(self.groups[kept], max(1, round(SHARE * count)), rng)
        train = filled(free, count, rng)
        labels = self.labels[kept]
        changed: dict[str, Any] = {
            "x": tuple(array[train] for array in experiment.x),
            "held_x": tuple(array[held] for array in experiment.x),
            "y": experiment.y[train],
            "scored_y": labels[train],
            "weight": None if experiment.weight is None else experiment.weight[train],
        }
        return replace(experiment, **changed), labels[held]

    def edit(self, setup: Setup) -> Fix | None:
        return Fix(title="hold rows out with train_test_split before fit", applicability="sketch")

    def describe(self) -> dict[str, Any]:
        return {"type": "hold-out", "share": SHARE}
