"""Longer or shorter training."""

from __future__ import annotations

from dataclasses import dataclass

from unstuck.experiments.experiment import Experiment
from unstuck.experiments.intervention import Intervention
from unstuck.experiments.source_edits import fix
from unstuck.finding import Fix
from unstuck.measure.setup import Setup


@dataclass(frozen=True)
class ScaleEpochs(Intervention):
    """Train `factor` times as many epochs (at least one)."""

    factor: float

    @property
    def label(self) -> str:
        return f"epochs × {self.factor:g}" if self.factor >= 1 else f"epochs ÷ {1 / self.factor:g}"

    def apply(self, experiment: Experiment) -> Experiment:
        return experiment.lasting(self._epochs(experiment.epochs))

    def edit(self, setup: Setup) -> Fix | None:
        return _set_epochs(setup, self._epochs(setup.epochs))

    def _epochs(self, now: int) -> int:
        return max(1, round(now * self.factor))


@dataclass(frozen=True)
class StopAt(Intervention):
    """Stop after `epochs` epochs if the run is longer."""

    epochs: int

    @property
    def label(self) -> str:
        return f"stop after {self.epochs} epoch{'s' if self.epochs > 1 else ''}"

    def apply(self, experiment: Experiment) -> Experiment:
        return experiment.lasting(max(1, min(self.epochs, experiment.epochs)))

    def edit(self, setup: Setup) -> Fix | None:
        return _set_epochs(setup, self.epochs)


def _set_epochs(setup: Setup, epochs: int) -> Fix:
    edit = setup.fit_edit("epochs", str(epochs), 3)
    stopping = "keras.callbacks.EarlyStopping(restore_best_weights=True)" if epochs < setup.epochs else ""
    return fix(f"train for {epochs} epoch{'s' if epochs > 1 else ''}", [edit], alternative=stopping)
