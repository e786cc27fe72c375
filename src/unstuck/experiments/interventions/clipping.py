"""Gradients as they are."""

from __future__ import annotations

from dataclasses import dataclass

from unstuck.experiments.experiment import Experiment, optimizer_config
from unstuck.experiments.intervention import Intervention
from unstuck.experiments.source_edits import fix, set_optimizer_argument
from unstuck.finding import Fix
from unstuck.measure.setup import Setup

CLIPPING = ("clipvalue", "clipnorm", "global_clipnorm")
"""Arguments of Keras's optimisers that clip; only one of them may be set."""


@dataclass(frozen=True)
class RemoveClipping(Intervention):
    """Take every bound on gradients out of the optimiser."""

    @property
    def label(self) -> str:
        return "no gradient clipping"

    def apply(self, experiment: Experiment) -> Experiment:
        changed, settings = experiment.with_compile()
        optimizer_config(settings).update(dict.fromkeys(CLIPPING))
        return changed

    def edit(self, setup: Setup) -> Fix | None:
        bounds = [name for name in CLIPPING if setup.optimizer.config.get(name) is not None]
        edits = [set_optimizer_argument(setup, name, "None") for name in bounds]
        return fix("leave the gradients as they are", edits, alternative="clip their norm at 1.0")
