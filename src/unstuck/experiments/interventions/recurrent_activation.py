"""The usual activations in recurrent layers."""

from __future__ import annotations

from dataclasses import dataclass

from unstuck.experiments.experiment import Experiment, layer_configs
from unstuck.experiments.intervention import Intervention
from unstuck.experiments.interventions.activations import RECURRENT
from unstuck.experiments.source_edits import fix
from unstuck.finding import Edit, Fix
from unstuck.measure.setup import Setup


@dataclass(frozen=True)
class SetRecurrentActivation(Intervention):
    """Give the state of every recurrent layer this activation."""

    to: str = "tanh"

    @property
    def label(self) -> str:
        return f"{self.to} in recurrent layers"

    def apply(self, experiment: Experiment) -> Experiment:
        changed, model = experiment.with_model()
        for layer in layer_configs(model):
            for one in (layer, *(layer["config"].get(part) for part in ("layer", "backward_layer"))):
                if isinstance(one, dict) and "activation" in one["config"] and one["class_name"] in RECURRENT:
                    one["config"]["activation"] = self.to
        return changed

    def edit(self, setup: Setup) -> Fix | None:
        edits: list[Edit | None] = [
            setup.sources.set_argument(layer.site, "activation", f'"{self.to}"', 1)
            for layer in setup.layers
            if layer.kind in RECURRENT and "activation" in layer.config and layer.activation != self.to
        ]
        return fix(f"use {self.to} in the recurrent layers", edits or [None])
