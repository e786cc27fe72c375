"""Training without penalties on weights or activities."""

from __future__ import annotations

from dataclasses import dataclass, replace

from unstuck.experiments.experiment import Experiment, arguments_ending, layer_configs
from unstuck.experiments.intervention import Intervention
from unstuck.experiments.numbers import without_strength
from unstuck.experiments.source_edits import fix
from unstuck.finding import Edit, Fix
from unstuck.measure.setup import Setup


@dataclass(frozen=True)
class RemovePenalty(Intervention):
    """Take the regularisers of weights out of the layers, or those of their outputs.

    Attributes:
        of: `weight`, or `activity` for penalties on what layers put out.
    """

    of: str = "weight"

    @property
    def label(self) -> str:
        return f"no {self.of} penalty"

    def apply(self, experiment: Experiment) -> Experiment:
        changed, model = experiment.with_model()
        for layer in layer_configs(model):
            if self.of == "activity" and layer["class_name"] == "ActivityRegularization":
                layer["config"].update(l1=0.0, l2=0.0)
            for key in regularizers(layer["config"], self.of):
                layer["config"][key] = without_strength(layer["config"][key])
        return replace(changed, initial=experiment.initial)

    def edit(self, setup: Setup) -> Fix | None:
        edits: list[Edit | None] = []
        for layer in setup.layers:
            for key in regularizers(layer.config, self.of):
                edits.append(setup.sources.set_argument(layer.site, key, "None"))
            if self.of == "activity" and layer.kind == "ActivityRegularization":
                edits += [setup.sources.set_argument(layer.site, name, "0", i) for i, name in enumerate(("l1", "l2"))]
        if not edits:
            return None
        return fix(f"remove the {self.of} penalty", edits, alternative="try a penalty of 1e-5 to 1e-4")


def regularizers(config: object, of: str = "weight") -> tuple[str, ...]:
    """Names of the arguments of a layer that hold a regulariser of its weights, or of its activity."""
    given = arguments_ending(config, "_regularizer")
    return tuple(key for key in given if key.startswith("activity") == (of == "activity"))
