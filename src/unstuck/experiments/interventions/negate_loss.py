"""The loss with the other sign."""

from __future__ import annotations

from dataclasses import dataclass

from unstuck.experiments.experiment import Experiment, compile_config
from unstuck.experiments.intervention import Intervention
from unstuck.finding import Fix
from unstuck.measure.setup import Setup


@dataclass(frozen=True)
class NegateLoss(Intervention):
    """Minimise the negative of a person's own loss of one output."""

    @property
    def label(self) -> str:
        return "the loss negated"

    def apply(self, experiment: Experiment) -> Experiment:
        changed, settings = experiment.with_compile()
        compile_config(settings)["loss_weights"] = -1.0
        return changed

    def edit(self, setup: Setup) -> Fix | None:
        return Fix(
            title="return the negative from the loss, or 1 minus it where it is a score between 0 and 1",
            applicability="sketch",
        )
