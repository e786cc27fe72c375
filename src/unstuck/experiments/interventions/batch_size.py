"""Another batch size."""

from __future__ import annotations

from dataclasses import dataclass, replace

from unstuck.experiments.experiment import Experiment
from unstuck.experiments.intervention import Intervention
from unstuck.experiments.source_edits import fix
from unstuck.finding import Fix
from unstuck.measure.setup import Setup


@dataclass(frozen=True)
class SetBatchSize(Intervention):
    """Take `size` rows a step; the number of steps an epoch follows from it."""

    size: int

    @property
    def label(self) -> str:
        return f"batches of {self.size}"

    def apply(self, experiment: Experiment) -> Experiment:
        return replace(experiment, batch_size=min(self.size, len(experiment.y)))

    def edit(self, setup: Setup) -> Fix | None:
        edit = setup.fit_edit("batch_size", str(self.size), 2)
        return fix(f"train in batches of {self.size}", [edit])
