"""Every row with the label that it had before inputs and labels were split apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from unstuck.experiments.base import kept_rows
from unstuck.experiments.experiment import Experiment
from unstuck.experiments.intervention import Intervention
from unstuck.experiments.source_edits import fix
from unstuck.finding import Fix
from unstuck.measure.data import Data
from unstuck.measure.labels.pairing import Pairing
from unstuck.measure.setup import Setup
from unstuck.measure.task import Task


@dataclass(frozen=True)
class PairLabels(Intervention):
    """Give training and held-out rows their own labels; those of held-out rows are wrong in the same way.

    Attributes:
        given: targets of the training rows as they are handed to the loss. labels: canonical labels of the training
            rows, held_labels: of the held-out rows (see `Task`).
        x_site, y_site: the two calls of `train_test_split`.
    """

    given: np.ndarray = field(repr=False, compare=False)
    labels: np.ndarray = field(repr=False, compare=False)
    held_labels: np.ndarray = field(repr=False, compare=False)
    x_site: Mapping[str, Any] | None = field(default=None, repr=False, compare=False)
    y_site: Mapping[str, Any] | None = field(default=None, repr=False, compare=False)

    @classmethod
    def of(cls, pairing: Pairing, data: Data, task: Task) -> PairLabels | None:
        """None where the own labels of some rows are not at hand."""
        if (len(pairing.own), len(pairing.held_own)) != (len(task.y), len(task.held_y)):
            return None
        given = np.concatenate([data.y, data.held_y])
        labels = np.concatenate([task.y, task.held_y])
        own, held_own = pairing.own, pairing.held_own
        return cls(given[own], labels[own], labels[held_own], pairing.x_site, pairing.y_site)

    @property
    def label(self) -> str:
        return "each row with its own label"

    def apply(self, experiment: Experiment) -> Experiment:
        kept = kept_rows(len(self.given), len(experiment.y))
        given = self.given[kept].astype(experiment.y.dtype).reshape(experiment.y.shape)
        return replace(experiment, y=given, scored_y=self.labels[kept])

    def for_seed(self, experiment: Experiment, held_y: np.ndarray, seed: int) -> tuple[Experiment, np.ndarray]:
        return self.apply(experiment), self.held_labels

    def edit(self, setup: Setup) -> Fix | None:
        sources = setup.sources
        seed = sources.text(sources.argument(self.x_site, "random_state")) or "0"
        seed = "0" if seed == "None" else seed
        sites = (self.x_site, self.y_site)
        alike = not any(sources.argument(site, "stratify") for site in sites)
        edits = [sources.set_argument(site, "random_state", seed) if alike else None for site in sites]
        title = "split inputs and labels alike: the same random_state in both calls"
        return fix(title, edits, alternative="split them in one call: train_test_split(x, y)")

    def describe(self) -> dict[str, Any]:
        return {"type": "pair-labels", "rows": len(self.given)}
