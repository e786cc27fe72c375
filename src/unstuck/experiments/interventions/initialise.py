"""Other initial weights."""

from __future__ import annotations

from dataclasses import dataclass, replace

from unstuck.experiments.experiment import Experiment, layer_configs
from unstuck.experiments.intervention import Intervention
from unstuck.experiments.source_edits import fix
from unstuck.experiments.structure import hidden_layers
from unstuck.finding import Edit, Fix
from unstuck.measure.setup import Layer, Setup


@dataclass(frozen=True)
class Reinitialise(Intervention):
    """Start from another distribution.

    Attributes:
        initializer: of all kernels, or "" to keep theirs.
        bias: initialiser of the hidden layers' biases, or "" to keep theirs. The output's bias stays: a start at the
            base rate is a good one.
    """

    initializer: str = "glorot_uniform"
    bias: str = ""

    @property
    def label(self) -> str:
        kernels = f"{self.initializer} kernels" if self.initializer else ""
        biases = f"hidden biases {self.bias}" if self.bias else ""
        return " and ".join(part for part in (kernels, biases) if part)

    def apply(self, experiment: Experiment) -> Experiment:
        changed, model = experiment.with_model()
        for layer in layer_configs(model):
            if self.initializer and "kernel_initializer" in layer["config"]:
                layer["config"]["kernel_initializer"] = self.initializer
        for layer in hidden_layers(model):
            if self.bias and "bias_initializer" in layer["config"]:
                layer["config"]["bias_initializer"] = self.bias
        return replace(changed, kept={})

    def edit(self, setup: Setup) -> Fix | None:
        edits: list[Edit | None] = []
        head = setup.head.layer.index
        for layer in setup.layers:
            if layer.index <= head and self.initializer:
                edits += _set(setup, layer, "kernel_initializer", self.initializer)
            if layer.index < head and self.bias:
                edits += _set(setup, layer, "bias_initializer", self.bias)
        wanted = [f"kernels with {self.initializer}"] if self.initializer else []
        wanted += [f"hidden biases with {self.bias}"] if self.bias else []
        return fix(f"initialise the {' and the '.join(wanted)}", edits)


def _set(setup: Setup, layer: Layer, argument: str, value: str) -> list[Edit | None]:
    if argument not in layer.config or initializer_name(layer.config[argument]) == value:
        return []
    return [setup.sources.set_argument(layer.site, argument, f'"{value}"')]


def initializer_name(given: object) -> str:
    """Snake-case name of a serialized initialiser: `glorot_uniform`, `zeros`."""
    name = given.get("class_name", "") if isinstance(given, dict) else given if isinstance(given, str) else ""
    return "".join(f"_{c.lower()}" if c.isupper() and i else c.lower() for i, c in enumerate(name))
