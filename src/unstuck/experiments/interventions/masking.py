"""Time steps that are masked seen by the network."""

from __future__ import annotations

from dataclasses import dataclass

from unstuck.experiments.experiment import Experiment, layer_configs
from unstuck.experiments.intervention import Intervention
from unstuck.experiments.source_edits import fix
from unstuck.finding import Edit, Fix
from unstuck.measure.setup import Setup


@dataclass(frozen=True)
class Unmask(Intervention):
    """Take the mask away: Masking passes its input on, Embedding reads 0 as a token."""

    @property
    def label(self) -> str:
        return "no mask"

    def apply(self, experiment: Experiment) -> Experiment:
        changed, model = experiment.with_model()
        for layer in layer_configs(model):
            if layer["class_name"] == "Masking":
                layer.update(class_name="Activation", module="keras.layers")
                layer["config"] = {"name": layer["config"]["name"], "activation": "linear"}
            elif "mask_zero" in layer["config"]:
                layer["config"]["mask_zero"] = False
        return changed

    def edit(self, setup: Setup) -> Fix | None:
        edits: list[Edit | None] = []
        for layer in setup.layers:
            if layer.config.get("mask_zero"):
                edits.append(setup.sources.set_argument(layer.site, "mask_zero", "False"))
            elif layer.kind == "Masking":
                edits.append(None)
        return fix("do not mask the time steps", edits, alternative="pad with a value that does not occur in the data")
