"""Training with every row weighted alike."""

from __future__ import annotations

from dataclasses import dataclass, replace

from unstuck.experiments.experiment import Experiment
from unstuck.experiments.intervention import Intervention
from unstuck.finding import Fix
from unstuck.measure.setup import Setup


@dataclass(frozen=True)
class DropSampleWeights(Intervention):
    """Drop sample weights and class weights."""

    @property
    def label(self) -> str:
        return "no sample or class weights"

    def apply(self, experiment: Experiment) -> Experiment:
        return replace(experiment, weight=None)

    def edit(self, setup: Setup) -> Fix | None:
        sources, site = setup.sources, setup.sites["fit"]
        given = [name for name in ("sample_weight", "class_weight") if sources.argument(site, name)]
        edits = tuple(edit for name in given if (edit := sources.set_argument(site, name, "None")))
        return Fix(
            title="fit without the weights",
            applicability="suggested" if edits else "sketch",
            edits=edits,
            alternative="compute them anew: every class needs a weight above 0",
        )
