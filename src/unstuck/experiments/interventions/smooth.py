"""An operation without a gradient taken out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from unstuck.experiments.experiment import Experiment
from unstuck.experiments.intervention import Intervention
from unstuck.finding import Fix
from unstuck.measure.network.graph import tensors
from unstuck.measure.setup import Setup


@dataclass(frozen=True)
class PassThrough(Intervention):
    """Let one layer or operation hand its first input on as it is; shapes must be equal.

    Attributes:
        node: its name in the model.
    """

    node: str

    @property
    def label(self) -> str:
        return f"{self.node} passes its input on"

    def apply(self, experiment: Experiment) -> Experiment:
        changed, model = experiment.with_model()
        for layer in model["config"]["layers"]:
            if (layer.get("name") or layer["config"].get("name")) == self.node:
                _pass_on(layer, self.node)
        return changed

    def edit(self, setup: Setup) -> Fix | None:
        return Fix(
            title=f"train without {self.node}, and apply it to the predictions",
            applicability="sketch",
            alternative="a soft version with a gradient: sigmoid for a threshold, softmax for argmax",
        )


def _pass_on(layer: dict[str, Any], name: str) -> None:
    first = next(tensors(layer.get("inbound_nodes")), None)
    layer.update(class_name="Activation", module="keras.layers", registered_name=None)
    layer["config"] = {"name": name, "activation": "linear"}
    layer.pop("build_config", None)
    if first is not None:
        layer["inbound_nodes"] = [{"args": [first], "kwargs": {}}]
