"""Rows in a new order every epoch."""

from __future__ import annotations

from dataclasses import dataclass, replace

from unstuck.experiments.experiment import Experiment
from unstuck.experiments.intervention import Intervention
from unstuck.experiments.source_edits import fix
from unstuck.finding import Fix
from unstuck.measure.setup import Setup


@dataclass(frozen=True)
class ShuffleRows(Intervention):
    """Shuffle the training rows before every epoch, as `fit` does by default."""

    @property
    def label(self) -> str:
        return "rows shuffled every epoch"

    def apply(self, experiment: Experiment) -> Experiment:
        return replace(experiment, shuffle=True)

    def edit(self, setup: Setup) -> Fix | None:
        edit = setup.fit_edit("shuffle", "True", 7)
        return fix("shuffle the training rows", [edit])
