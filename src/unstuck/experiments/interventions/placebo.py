"""A change that should not matter."""

from __future__ import annotations

from dataclasses import dataclass, replace

from unstuck.experiments.experiment import Experiment
from unstuck.experiments.intervention import Intervention


@dataclass(frozen=True)
class OtherSeed(Intervention):
    """Other initial weights and batch order: shows how much the score moves by luck alone."""

    offset: int = 10_000

    @property
    def label(self) -> str:
        return "placebo: other seeds"

    def apply(self, experiment: Experiment) -> Experiment:
        return replace(experiment, seed_offset=experiment.seed_offset + self.offset, initial=None)
