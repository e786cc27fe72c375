"""The learning rate without its schedule."""

from __future__ import annotations

from dataclasses import dataclass, replace

from unstuck.experiments.experiment import Experiment, optimizer_config
from unstuck.experiments.intervention import Intervention
from unstuck.experiments.source_edits import fix, set_optimizer_argument
from unstuck.finding import Fix
from unstuck.measure.setup import Setup


@dataclass(frozen=True)
class ConstantRate(Intervention):
    """Keep the learning rate at `rate` from the first step to the last."""

    rate: float

    @property
    def label(self) -> str:
        return f"constant learning rate {self.rate:.3g}"

    def apply(self, experiment: Experiment) -> Experiment:
        changed, settings = experiment.with_compile()
        optimizer_config(settings)["learning_rate"] = self.rate
        return replace(changed, learning_rate=self.rate, rates=None)

    def edit(self, setup: Setup) -> Fix | None:
        title = f"keep the learning rate at {self.rate:.3g}, or let the schedule last as long as the training"
        if not setup.optimizer.schedule:  # a callback changes it; which one, and where, is not known
            return fix(title, [None])
        return fix(title, [set_optimizer_argument(setup, "learning_rate", f"{self.rate:.3g}")])
