"""Another weight decay of the optimiser."""

from __future__ import annotations

from dataclasses import dataclass

from unstuck.experiments.experiment import Experiment, optimizer_config
from unstuck.experiments.intervention import Intervention
from unstuck.experiments.source_edits import fix, set_optimizer_argument
from unstuck.finding import Fix
from unstuck.measure.setup import Setup


@dataclass(frozen=True)
class SetWeightDecay(Intervention):
    """Set the decoupled weight decay; 0 turns it off."""

    value: float

    @property
    def label(self) -> str:
        return f"weight decay {self.value:g}" if self.value else "no weight decay"

    def apply(self, experiment: Experiment) -> Experiment:
        changed, settings = experiment.with_compile()
        optimizer_config(settings)["weight_decay"] = self.value
        return changed

    def edit(self, setup: Setup) -> Fix | None:
        edit = set_optimizer_argument(setup, "weight_decay", f"{self.value:g}")
        return fix(f"set the weight decay to {self.value:g}", [edit])
