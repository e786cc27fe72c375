"""Weights as a new model has them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from unstuck.experiments.experiment import Experiment
from unstuck.experiments.intervention import Intervention
from unstuck.finding import Fix
from unstuck.measure.setup import Setup


@dataclass(frozen=True)
class FreshWeights(Intervention):
    """Start from a fresh initialisation in place of the weights that an earlier fit left."""

    @property
    def label(self) -> str:
        return "fresh weights"

    def apply(self, experiment: Experiment) -> Experiment:
        return replace(experiment, initial=None, kept={})

    def edit(self, setup: Setup) -> Fix | None:
        return Fix(
            title="build and compile the model inside the loop over the folds",
            applicability="sketch",
            alternative="keras.models.clone_model(model), compiled again, for each fold",
        )
