"""Weights without bounds."""

from __future__ import annotations

from dataclasses import dataclass

from unstuck.experiments.experiment import Experiment, arguments_ending, layer_configs
from unstuck.experiments.intervention import Intervention
from unstuck.experiments.source_edits import fix
from unstuck.finding import Edit, Fix
from unstuck.measure.setup import Setup


@dataclass(frozen=True)
class RemoveConstraints(Intervention):
    """Take the constraints of kernels and biases out of the layers."""

    @property
    def label(self) -> str:
        return "no weight constraint"

    def apply(self, experiment: Experiment) -> Experiment:
        changed, model = experiment.with_model()
        for layer in layer_configs(model):
            for key in constraints(layer["config"]):
                layer["config"][key] = None
        return changed

    def edit(self, setup: Setup) -> Fix | None:
        edits: list[Edit | None] = [
            setup.sources.set_argument(layer.site, key, "None")
            for layer in setup.layers
            for key in constraints(layer.config)
        ]
        return fix("remove the constraint on the weights", edits, alternative="a maximal norm of 2 to 4")


def constraints(config: object) -> tuple[str, ...]:
    """Names of the arguments of a layer that hold a constraint of its weights."""
    return arguments_ending(config, "_constraint")
