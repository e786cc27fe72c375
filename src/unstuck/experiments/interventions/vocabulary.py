"""Room for every token in an embedding."""

from __future__ import annotations

from dataclasses import dataclass

from unstuck.experiments.experiment import Experiment, layer_configs
from unstuck.experiments.intervention import Intervention
from unstuck.experiments.source_edits import fix
from unstuck.finding import Fix
from unstuck.measure.setup import Setup


@dataclass(frozen=True)
class SetInputDim(Intervention):
    """Give the Embedding layer of this name `size` rows."""

    layer: str
    size: int

    @property
    def label(self) -> str:
        return f"input_dim={self.size}"

    def apply(self, experiment: Experiment) -> Experiment:
        changed, model = experiment.with_model()
        for layer in layer_configs(model):
            if layer["config"].get("name") == self.layer:
                layer["config"]["input_dim"] = self.size
        return changed

    def edit(self, setup: Setup) -> Fix | None:
        layer = next((layer for layer in setup.layers if layer.name == self.layer), None)
        edit = setup.sources.set_argument(layer.site, "input_dim", str(self.size), 0) if layer else None
        return fix(f"give the embedding {self.size} rows: the largest index and one", [edit])
