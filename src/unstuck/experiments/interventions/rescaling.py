"""Inputs scaled once less."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from unstuck.experiments.experiment import Experiment, layer_configs
from unstuck.experiments.intervention import Intervention
from unstuck.experiments.source_edits import fix
from unstuck.finding import Edit, Fix
from unstuck.measure.setup import Setup


@dataclass(frozen=True)
class WithoutRescaling(Intervention):
    """Let the Rescaling layers of these names pass their inputs on as they are."""

    names: tuple[str, ...]

    @property
    def label(self) -> str:
        return "inputs scaled once"

    def apply(self, experiment: Experiment) -> Experiment:
        changed, model = experiment.with_model()
        for layer in layer_configs(model):
            if layer["config"].get("name") in self.names:
                layer["config"].update(scale=1.0, offset=0.0)
        return replace(changed, initial=experiment.initial)

    def edit(self, setup: Setup) -> Fix | None:
        own = [layer for layer in setup.layers if layer.name in self.names]
        edits: list[Edit | None] = []
        for layer in own:
            edits.append(setup.sources.set_argument(layer.site, "scale", "1.0", 0))
            if layer.config.get("offset"):
                edits.append(setup.sources.set_argument(layer.site, "offset", "0.0", 1))
        return fix(
            "scale the inputs once: the Rescaling layer has nothing left to do",
            edits,
            alternative="feed the raw values, 0 to 255",
        )


@dataclass(frozen=True)
class MultiplyInputs(Intervention):
    """Multiply training and held-out inputs by a number."""

    factor: float

    @property
    def label(self) -> str:
        return f"inputs × {self.factor:g}"

    def apply(self, experiment: Experiment) -> Experiment:
        def scaled(inputs: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
            return tuple((array * np.float32(self.factor)).astype(np.float32) for array in inputs)

        return replace(experiment, x=scaled(experiment.x), held_x=scaled(experiment.held_x))

    def edit(self, setup: Setup) -> Fix | None:
        return Fix(title=f"divide the inputs by {self.factor:g} once, not twice", applicability="sketch")
