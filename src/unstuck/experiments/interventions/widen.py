"""More units and more layers."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from unstuck.experiments.experiment import Experiment
from unstuck.experiments.intervention import Intervention
from unstuck.experiments.source_edits import fix, hidden_in_order, insert_before
from unstuck.experiments.structure import forget_shapes, hidden_layers, insert_before_heads, keras_layer
from unstuck.finding import Edit, Fix
from unstuck.measure.setup import Setup

WIDE_ENOUGH = 64
"""A hidden layer gets at least so many units; fewer is where narrow models were seen to stall on tables."""
MOST_UNITS = {"Dense": 1024}
MOST_FILTERS = 128
"""Bounds that keep a trial affordable: cost grows with the square of the width."""
RESIZABLE = frozenset({"Dense", "Conv1D", "Conv2D", "Conv3D", "SeparableConv1D", "SeparableConv2D"})
TIED = frozenset(
    {
        "Add",
        "Subtract",
        "Multiply",
        "Average",
        "Maximum",
        "Minimum",
        "Dot",
        "Reshape",
        "Attention",
        "MultiHeadAttention",
    }
)
"""Layers that fix the width of their inputs; where one occurs the widths stay and only layers are added."""


@dataclass(frozen=True)
class Widen(Intervention):
    """Multiply the units of hidden layers and add hidden layers before the output.

    Attributes:
        factor: of the units (or filters) of every hidden layer.
        layers: number of Dense(64, relu, he_normal) layers added before each Dense head.
    """

    factor: int = 8
    layers: int = 2

    @property
    def label(self) -> str:
        wide = f"{self.factor} × wider" if self.factor != 1 else ""
        deep = f"{self.layers} more layers of {WIDE_ENOUGH}" if self.layers else ""
        return " and ".join(part for part in (wide, deep) if part)

    def apply(self, experiment: Experiment) -> Experiment:
        changed, model = experiment.with_model()
        hidden = hidden_layers(model)
        if not _nested(model) and not any(layer["class_name"] in TIED for layer in hidden):
            for layer in hidden:
                key = _width_key(layer["class_name"])
                if key:
                    layer["config"][key] = self.width(layer["class_name"], layer["config"][key])
        insert_before_heads(model, [_dense()] * self.layers)
        forget_shapes(model)
        return replace(changed, initial=None)

    def width(self, kind: str, now: int) -> int:
        """The new number of units of a hidden layer."""
        return max(now, min(max(now * self.factor, WIDE_ENOUGH), MOST_UNITS.get(kind, MOST_FILTERS)))

    def edit(self, setup: Setup) -> Fix | None:
        hidden = [layer for layer in hidden_in_order(setup) if layer.kind in RESIZABLE]
        edits: list[Edit | None] = []
        if not any(layer.kind in TIED for layer in hidden_in_order(setup)):
            for layer in hidden:
                key = _width_key(layer.kind)
                edits.append(
                    setup.sources.set_argument(layer.site, key, str(self.width(layer.kind, layer.config[key])), 0)
                )
        if self.layers:
            call = f'Dense({WIDE_ENOUGH}, activation="relu", kernel_initializer="he_normal")'
            edits.append(None if _models(setup) > 1 else insert_before(setup, setup.head.layer, (call,) * self.layers))
        words = ["give the hidden layers more units"] if hidden else []
        words += [f"add {self.layers} hidden layers of {WIDE_ENOUGH} ReLU units"] if self.layers else []
        return fix(" and ".join(words), edits) if words else None


def _nested(model: dict[str, Any]) -> bool:
    """Whether a layer is itself a model, whose inputs have a fixed width."""
    return any("layers" in layer["config"] for layer in model["config"].get("layers", []))


def _models(setup: Setup) -> int:
    """Models built in the file of the head: with several, one may be nested in another."""
    site = setup.head.layer.site
    text = "\n".join(setup.sources.lines.get(site["file"], ())) if site else ""
    return len(re.findall(r"\b(?:Sequential|Model)\(", text))


def _width_key(kind: str) -> str:
    return "" if kind not in RESIZABLE else "units" if kind == "Dense" else "filters"


def _dense() -> dict[str, Any]:
    return keras_layer("Dense", units=WIDE_ENOUGH, activation="relu", kernel_initializer="he_normal")
