"""Another activation in the hidden layers."""

from __future__ import annotations

from dataclasses import dataclass

from unstuck.experiments.experiment import Experiment
from unstuck.experiments.intervention import Intervention
from unstuck.experiments.source_edits import fix, hidden_in_order
from unstuck.experiments.structure import activation_name, hidden_layers
from unstuck.finding import Edit, Fix
from unstuck.measure.setup import Layer, Setup

RECURRENT = frozenset({"LSTM", "GRU", "SimpleRNN", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D", "Bidirectional", "RNN"})
"""Recurrent layers keep their activations: sigmoid gates and a tanh state are what makes them work."""


@dataclass(frozen=True)
class ReplaceActivations(Intervention):
    """Give hidden layers another activation and the kernel initialiser that suits it; output heads stay.

    Attributes:
        to: Keras name of the new activation.
        initializer: kernel initialiser of the layers that change, or "" to keep theirs.
        of: the activations that are replaced.
    """

    to: str = "relu"
    initializer: str = "he_normal"
    of: tuple[str, ...] = ("sigmoid", "tanh")

    @property
    def label(self) -> str:
        return f"{self.to} instead of {' and '.join(self.of)}"

    def apply(self, experiment: Experiment) -> Experiment:
        changed, model = experiment.with_model()
        for layer in hidden_layers(model):
            if layer["class_name"] in RECURRENT or activation_name(layer) not in self.of:
                continue
            if "activation" not in layer["config"]:
                layer["config"] = {"name": layer["config"]["name"]}
                layer.update(class_name="Activation", module="keras.layers")
            layer["config"]["activation"] = self.to
            if self.initializer and "kernel_initializer" in layer["config"]:
                layer["config"]["kernel_initializer"] = self.initializer
        return changed

    def edit(self, setup: Setup) -> Fix | None:
        edits: list[Edit | None] = []
        replaced = []
        for layer in hidden_in_order(setup):
            if layer.kind in RECURRENT or layer.activation not in self.of:
                continue
            replaced.append(layer.activation)
            edits += self._edits(setup, layer)
        if not replaced:
            return None
        return fix(f"use {self.to} instead of {' and '.join(sorted(set(replaced)))} in the hidden layers", edits)

    def _edits(self, setup: Setup, layer: Layer) -> list[Edit | None]:
        if "activation" not in layer.config:
            return [None]
        place = {"Dense": 1, "Activation": 0}.get(layer.kind)
        edits = [setup.sources.set_argument(layer.site, "activation", f'"{self.to}"', place)]
        if self.initializer and "kernel_initializer" in layer.config:
            edits.append(setup.sources.set_argument(layer.site, "kernel_initializer", f'"{self.initializer}"'))
        return edits
