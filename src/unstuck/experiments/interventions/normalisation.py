"""Normalisation that does not look at other rows of the batch."""

from __future__ import annotations

from dataclasses import dataclass

from unstuck.experiments.experiment import Experiment, layer_configs
from unstuck.experiments.intervention import Intervention
from unstuck.experiments.source_edits import fix
from unstuck.experiments.structure import forget_shapes
from unstuck.finding import Fix
from unstuck.measure.setup import Setup


@dataclass(frozen=True)
class NormaliseRows(Intervention):
    """Put layer normalisation, over the features of each row, in the place of batch normalisation."""

    @property
    def label(self) -> str:
        return "layer instead of batch normalisation"

    def apply(self, experiment: Experiment) -> Experiment:
        changed, model = experiment.with_model()
        for layer in layer_configs(model):
            if layer["class_name"] == "BatchNormalization":
                layer["class_name"] = "LayerNormalization"
                layer["config"] = {"name": layer["config"]["name"]}
        forget_shapes(model)
        return changed

    def edit(self, setup: Setup) -> Fix | None:
        return fix("use LayerNormalization instead of BatchNormalization", [None])
