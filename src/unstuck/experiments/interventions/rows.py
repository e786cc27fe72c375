"""Training without some of the rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from unstuck.experiments.experiment import Experiment
from unstuck.experiments.intervention import Intervention
from unstuck.finding import Fix
from unstuck.measure.setup import Setup

SEED = 3


@dataclass(frozen=True)
class DropRows(Intervention):
    """Put other training rows, drawn with a fixed seed, in the place of some: the shapes and the number of steps stay.

    Attributes:
        reason: what is wrong with the rows: `rows without a class`.
        rows: their positions among the training rows of the experiment (not of the recorded sample).
    """

    reason: str
    rows: tuple[int, ...]

    @property
    def label(self) -> str:
        return f"without {len(self.rows)} {self.reason}"

    def apply(self, experiment: Experiment) -> Experiment:
        count = len(experiment.y)
        dropped = np.array([row for row in self.rows if 0 <= row < count], dtype=int)
        kept = np.setdiff1d(np.arange(count), dropped)
        if not len(dropped) or not len(kept):
            return experiment
        order = np.arange(count)
        order[dropped] = np.random.default_rng(SEED).choice(kept, len(dropped))
        return experiment.at(order)

    def edit(self, setup: Setup) -> Fix | None:
        return Fix(title=f"leave the {self.reason} out of training", applicability="sketch")

    def describe(self) -> dict[str, Any]:
        return {"type": "drop-rows", "reason": self.reason, "rows": len(self.rows)}
