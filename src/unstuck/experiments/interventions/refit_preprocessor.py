"""Preparation done honestly: every transformer fitted on training rows only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from unstuck.experiments.experiment import Experiment
from unstuck.experiments.intervention import Intervention
from unstuck.experiments.interventions.permute_labels import PermuteLabels
from unstuck.experiments.interventions.refit_edit import split_first
from unstuck.experiments.interventions.resplit import Resplit
from unstuck.finding import Fix
from unstuck.measure.leakage.provenance import Fitted
from unstuck.measure.setup import Setup


@dataclass(frozen=True)
class RefitPreprocessor(Intervention):
    """Fit transformers on training rows only and transform both parts.

    `for_seed(experiment, held_y, seed)` is the form of `apply` for trials whose split is drawn again for each seed:
    it returns the experiment and the canonical labels of its held-out rows. `baseline` is what to compare with, and
    `shuffled` the same change under shuffled labels; for one seed all of them share the split.

    Attributes:
        resplit: raw rows, labels and transformers.
        stages: numbers of the stages of `resplit.rerun` to fit honestly; the others stay as written.
        leaks: where transformers saw held-out rows, for the edit.
    """

    resplit: Resplit
    stages: frozenset[int]
    leaks: tuple[Fitted, ...] = ()

    @property
    def label(self) -> str:
        return f"{' and '.join(self._names())} fitted on training rows"

    @property
    def baseline(self) -> AsWritten | None:
        return AsWritten(self.resplit) if self.resplit.redraws else None

    @property
    def shuffled(self) -> PermuteLabels:
        return PermuteLabels(self.resplit, self.stages)

    def apply(self, experiment: Experiment) -> Experiment:
        return self.for_seed(experiment, self._unknown(), 0)[0]

    def for_seed(self, experiment: Experiment, held_y: np.ndarray, seed: int) -> tuple[Experiment, np.ndarray]:
        return self.resplit.draw(experiment, held_y, seed, honest=self.stages, shuffled=False)

    def edit(self, setup: Setup) -> Fix | None:
        return split_first(setup, self.leaks)

    def describe(self) -> dict[str, Any]:
        return {"type": "refit-preprocessor", "transformers": self._names(), "new-split": self.resplit.redraws}

    def _names(self) -> list[str]:
        stages = self.resplit.rerun.stages
        return list(dict.fromkeys(stages[number].name for number in sorted(self.stages)))

    def _unknown(self) -> np.ndarray:
        """Held-out labels that say nothing: an honest preparation of the recorded split does not look at them."""
        labels = self.resplit.train_labels
        return np.zeros((len(self.resplit.held_y), *labels.shape[1:]), labels.dtype)


@dataclass(frozen=True)
class AsWritten(Intervention):
    """The preparation as it was written, on the split of the seed."""

    resplit: Resplit

    @property
    def label(self) -> str:
        return "as written, new split for each seed"

    def apply(self, experiment: Experiment) -> Experiment:
        return experiment

    def for_seed(self, experiment: Experiment, held_y: np.ndarray, seed: int) -> tuple[Experiment, np.ndarray]:
        if seed == 0:
            return experiment, held_y
        return self.resplit.draw(experiment, held_y, seed, honest=frozenset(), shuffled=False)

    def describe(self) -> dict[str, Any]:
        return {"type": "as-written", "new-split": self.resplit.redraws}
