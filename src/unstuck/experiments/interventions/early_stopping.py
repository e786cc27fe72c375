"""Training to the last epoch that was asked for."""

from __future__ import annotations

from dataclasses import dataclass, replace

from unstuck.experiments.experiment import Experiment
from unstuck.experiments.intervention import Intervention
from unstuck.experiments.source_edits import fix
from unstuck.finding import Fix
from unstuck.measure.setup import Setup

PATIENT = 10
"""Epochs without progress that early stopping should bear; Prechelt (1998) found patience to cost time, not score."""


@dataclass(frozen=True)
class WithoutEarlyStopping(Intervention):
    """Train all `epochs` epochs, however the monitored value goes."""

    epochs: int

    @property
    def label(self) -> str:
        return f"all {self.epochs} epochs"

    def apply(self, experiment: Experiment) -> Experiment:
        return replace(experiment, epochs=self.epochs)

    def edit(self, setup: Setup) -> Fix | None:
        fit = setup.sites["fit"]
        calls = setup.sources.calls_named(fit["file"], "EarlyStopping") if fit else []
        edits = [setup.sources.set_argument(call, "patience", str(PATIENT), 2) for call in calls]
        return fix(f"give early stopping a patience of {PATIENT} epochs or more", edits or [None])
