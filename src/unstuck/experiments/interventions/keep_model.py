"""One model for all passes of a loop."""

from __future__ import annotations

from dataclasses import dataclass, replace

from unstuck.experiments.experiment import Experiment
from unstuck.experiments.intervention import Intervention
from unstuck.experiments.source_edits import fix
from unstuck.finding import Fix
from unstuck.measure.setup import Setup


@dataclass(frozen=True)
class KeepModel(Intervention):
    """Go on with the same model in each of `passes` fits: as many epochs in a row."""

    passes: int

    @property
    def label(self) -> str:
        return f"one model for all {self.passes} fits"

    def apply(self, experiment: Experiment) -> Experiment:
        return replace(experiment, epochs=experiment.epochs * self.passes)

    def edit(self, setup: Setup) -> Fix | None:
        return fix("build and compile the model once, before the loop", [None])
