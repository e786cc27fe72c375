"""One answer a sequence."""

from __future__ import annotations

from dataclasses import dataclass

from unstuck.experiments.experiment import Experiment, layer_configs
from unstuck.experiments.intervention import Intervention
from unstuck.experiments.source_edits import fix
from unstuck.experiments.structure import forget_shapes
from unstuck.finding import Fix
from unstuck.measure.setup import Setup


@dataclass(frozen=True)
class LastStep(Intervention):
    """Let a recurrent layer give its last step instead of all of them.

    Attributes:
        name: of the layer.
    """

    name: str

    @property
    def label(self) -> str:
        return "return_sequences=False in the last recurrent layer"

    def apply(self, experiment: Experiment) -> Experiment:
        changed, model = experiment.with_model()
        for layer in layer_configs(model):
            if layer["config"].get("name") == self.name:
                inner = layer["config"].get("layer", layer)  # Bidirectional wraps the layer that has the argument
                inner["config"]["return_sequences"] = False
        forget_shapes(model)
        return changed

    def edit(self, setup: Setup) -> Fix | None:
        layer = setup.layer(self.name)
        written = layer is not None and "return_sequences" in layer.config
        edit = setup.sources.set_argument(layer.site, "return_sequences", "False") if layer and written else None
        return fix("let the last recurrent layer give its last step only", [edit])
