"""The shuffled-label control: nothing can be learnt, so whatever is shown is a leak or luck."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from unstuck.experiments.base import kept_rows
from unstuck.experiments.experiment import Experiment
from unstuck.experiments.intervention import Intervention
from unstuck.experiments.interventions.resplit import SHUFFLE, Resplit


@dataclass(frozen=True)
class PermuteLabels(Intervention):
    """Give rows the labels of other rows.

    Without `resplit` only training labels move. With it the whole preparation is run again on shuffled labels, those
    of held-out rows among them, since transformers may have seen these: use `for_seed`, which returns the held-out
    labels to score by.

    Attributes:
        honest: numbers of the stages of `resplit.rerun` to fit on training rows.
        labels: canonical training labels, to score training skill by; only used without `resplit`.
    """

    resplit: Resplit | None = None
    honest: frozenset[int] = frozenset()
    labels: np.ndarray | None = field(default=None, repr=False, compare=False)

    @property
    def label(self) -> str:
        return "labels shuffled" + (", fitted on training rows" if self.honest else "")

    def apply(self, experiment: Experiment) -> Experiment:
        return self._training_labels(experiment, 0)

    def for_seed(self, experiment: Experiment, held_y: np.ndarray, seed: int) -> tuple[Experiment, np.ndarray]:
        if self.resplit is None:
            return self._training_labels(experiment, seed), held_y
        return self.resplit.draw(experiment, held_y, seed, honest=self.honest, shuffled=True)

    def describe(self) -> dict[str, Any]:
        return {"type": "permute-labels", "whole-pipeline": self.resplit is not None, "honest": sorted(self.honest)}

    def _training_labels(self, experiment: Experiment, seed: int) -> Experiment:
        order = np.random.default_rng([seed, SHUFFLE]).permutation(len(experiment.y))
        changed: dict[str, Any] = {"y": experiment.y[order]}
        if self.labels is not None:
            changed["scored_y"] = self.labels[kept_rows(len(self.labels), len(order))][order]
        return replace(experiment, **changed)
