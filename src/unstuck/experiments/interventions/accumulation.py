"""An update after every batch."""

from __future__ import annotations

from dataclasses import dataclass

from unstuck.experiments.experiment import Experiment, optimizer_config
from unstuck.experiments.intervention import Intervention
from unstuck.experiments.source_edits import fix, set_optimizer_argument
from unstuck.finding import Fix
from unstuck.measure.setup import Setup


@dataclass(frozen=True)
class RemoveAccumulation(Intervention):
    """Let the optimiser make an update after every batch instead of one after many."""

    @property
    def label(self) -> str:
        return "no gradient accumulation"

    def apply(self, experiment: Experiment) -> Experiment:
        changed, settings = experiment.with_compile()
        optimizer_config(settings)["gradient_accumulation_steps"] = None
        return changed

    def edit(self, setup: Setup) -> Fix | None:
        edit = set_optimizer_argument(setup, "gradient_accumulation_steps", "None")
        return fix("make an update after every batch", [edit])
