"""Training without penalties on weights or activities."""

from __future__ import annotations

from dataclasses import dataclass, replace

from unstuck.experiments.experiment import Experiment, layer_configs
from unstuck.experiments.intervention import Intervention
from unstuck.experiments.numbers import without_strength
from unstuck.experiments.source_edits import fix
from unstuck.finding import Edit, Fix
from unstuck.measure.setup import Setup


@dataclass(frozen=True)
class RemovePenalty(Intervention):
    """Take every regulariser out of the layers."""

    @property
    def label(self) -> str:
        return "no weight penalty"

    def apply(self, experiment: Experiment) -> Experiment:
        changed, model = experiment.with_model()
        for layer in layer_configs(model):
            for key in regularizers(layer["config"]):
                layer["config"][key] = without_strength(layer["config"][key])
        return replace(changed, initial=experiment.initial)

    def edit(self, setup: Setup) -> Fix | None:
        edits: list[Edit | None] = []
        for layer in setup.layers:
            for key in regularizers(layer.config):
                edits.append(setup.sources.set_argument(layer.site, key, "None"))
        if not edits:
            return None
        return fix("remove the weight penalty", edits, alternative="or try a penalty of 1e-5 to 1e-4")


def regularizers(config: object) -> tuple[str, ...]:
    """Names of the arguments of a layer that hold a regulariser."""
    items = config.items() if hasattr(config, "items") else ()
    return tuple(key for key, value in items if key.endswith("_regularizer") and value)
