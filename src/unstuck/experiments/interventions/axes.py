"""Axes put in order: Permute in place of Reshape, channels last in place of first."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from unstuck.experiments.experiment import Experiment
from unstuck.experiments.intervention import Intervention
from unstuck.experiments.source_edits import fix
from unstuck.experiments.structure import forget_shapes
from unstuck.finding import Fix
from unstuck.measure.setup import Setup


@dataclass(frozen=True)
class PermuteInstead(Intervention):
    """Swap axes where a Reshape cuts rows anew.

    Attributes:
        node: name of the Reshape layer. axes: order of its input's axes in its output, from 1, as Permute takes them.
    """

    node: str
    axes: tuple[int, ...]

    @property
    def label(self) -> str:
        return f"Permute({self.axes}) instead of Reshape"

    def apply(self, experiment: Experiment) -> Experiment:
        changed, model = experiment.with_model()
        for layer in model["config"]["layers"]:
            if layer["config"].get("name") == self.node:
                layer.update(class_name="Permute", module="keras.layers")
                layer["config"] = {"name": self.node, "dims": list(self.axes)}
        return changed

    def edit(self, setup: Setup) -> Fix | None:
        layer = next((one for one in setup.layers if one.name == self.node), None)
        site = layer.site if layer else None
        call, place = setup.sources.call(site), setup.sources.location(site)
        name = setup.sources.text(place).partition("(")[0] if call is not None else ""
        edit = setup.sources.replace(place, f"{name.removesuffix('Reshape')}Permute({self.axes})") if name else None
        return fix("swap the axes with Permute; Reshape keeps the order of the values", [edit])


@dataclass(frozen=True)
class ChannelsLast(Intervention):
    """Move the channels of image inputs from the first axis to the last, in training and held-out rows alike."""

    @property
    def label(self) -> str:
        return "channels last"

    def apply(self, experiment: Experiment) -> Experiment:
        changed, model = experiment.with_model()
        for layer in model["config"]["layers"]:
            shape = layer["config"].get("batch_shape")
            if shape and len(shape) == 4:
                layer["config"]["batch_shape"] = [shape[0], shape[2], shape[3], shape[1]]
        model["config"].pop("build_input_shape", None)
        model.pop("build_config", None)
        forget_shapes(model)
        return replace(changed, x=_moved(experiment.x), held_x=_moved(experiment.held_x))

    def edit(self, setup: Setup) -> Fix | None:
        return Fix(
            title="move the channels last: x = np.moveaxis(x, 1, -1)",
            applicability="sketch",
            alternative='data_format="channels_first" in every layer, where the backend has it',
        )


def _moved(inputs: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
    return tuple(np.ascontiguousarray(np.moveaxis(a, 1, -1)) if a.ndim == 4 else a for a in inputs)
