"""Another output head and the loss that belongs to it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from unstuck.experiments.experiment import Decoding, Experiment, compile_config, layer_configs
from unstuck.experiments.intervention import Intervention
from unstuck.experiments.interventions.loss import serialized_loss, set_loss
from unstuck.finding import Fix
from unstuck.measure.setup import Setup


@dataclass(frozen=True)
class ReplaceHead(Intervention):
    """Give the output another activation and, where asked, another loss, number of units and label format.

    Attributes:
        activation: of the output, `linear` for none.
        loss: Keras name, or "" to keep the loss.
        units: of the last Dense layer, or 0 to keep them.
        from_logits: whether the loss takes logits.
        labels: "" keeps the labels; `sparse`, `one-hot` or `column` recode them.
    """

    activation: str
    loss: str = ""
    units: int = 0
    from_logits: bool = False
    labels: str = ""

    @property
    def label(self) -> str:
        parts = [f"{self.units} unit{'s' * (self.units > 1)}" if self.units else "", self.activation, self.loss]
        words = " and ".join(part for part in (" ".join(p for p in parts[:2] if p), parts[2]) if part)
        return words + (" (from_logits=True)" if self.from_logits else "")

    def apply(self, experiment: Experiment) -> Experiment:
        changed, model = experiment.with_model()
        layers = list(layer_configs(model))
        head = max(i for i, layer in enumerate(layers) if "units" in layer["config"] or "filters" in layer["config"])
        for layer in layers[head:]:
            if "activation" in layer["config"]:
                layer["config"]["activation"] = "linear"
            if layer["class_name"] in ("Softmax", "ReLU", "LeakyReLU", "ELU"):
                layer.update(class_name="Activation", config={"name": layer["config"]["name"], "activation": "linear"})
                layer["module"] = "keras.layers"
        if self.units:
            layers[head]["config"]["units"] = self.units
        layers[head]["config"]["activation"] = self.activation
        if self.loss:
            settings: dict[str, Any]
            changed, settings = changed.with_compile()
            chosen = compile_config(settings)
            chosen["loss"] = serialized_loss(self.loss, self.from_logits)
            chosen["metrics"] = None
            chosen["weighted_metrics"] = None
        activation = "" if not self.from_logits else "sigmoid" if "binary" in self.loss else "softmax"
        return replace(
            changed,
            y=recode(changed.y, self.labels, self.units),
            initial=experiment.initial if not self.units else None,
            decoding=replace(changed.decoding, activation=activation) if self.loss else Decoding(),
        )

    def edit(self, setup: Setup) -> Fix | None:
        head, sources = setup.head, setup.sources
        edits = []
        quoted = f'"{self.activation}"'
        if self.activation != head.activation:
            edits.append(
                sources.set_argument(
                    head.activation_layer.site, "activation", quoted, 1 if head.activation_layer.kind == "Dense" else 0
                )
            )
        if self.units and self.units != head.units:
            edits.append(sources.set_argument(head.layer.site, "units", str(self.units), 0))
        if self.loss and (self.loss != setup.loss.name or self.from_logits != setup.loss.from_logits):
            edits.append(set_loss(setup, self.loss, from_logits=self.from_logits))
        found = tuple(edit for edit in edits if edit)
        complete = len(found) == len(edits) and not self.labels
        units = f"{self.units} units" if self.units > 1 else "one unit"
        what = f"use {units} with {self.activation}" if self.units else f"use {_article(self.activation)}"
        if self.loss:
            loss = self.loss.replace("_crossentropy", " cross-entropy").replace("_", " ")
            what += f", and {loss}" if self.units else f" with {loss}"
        return Fix(title=what, applicability="suggested" if complete else "sketch", edits=found)


def recode(y: np.ndarray, labels: str, units: int) -> np.ndarray:
    """Labels (n,), (n, 1) or one-hot (n, C) as `sparse` (n,), `column` (n, 1) or `one-hot` (n, units)."""
    if not labels:
        return y
    flat = y.argmax(axis=1) if y.ndim == 2 and y.shape[1] > 1 else y.reshape(-1)
    if labels == "one-hot":
        values = np.clip(flat.astype(int), 0, units - 1)
        return np.asarray(np.eye(units, dtype=np.float32)[values])
    flat = flat.astype(np.int32 if labels == "sparse" else np.float32)
    return flat if labels == "sparse" else flat.reshape(-1, 1)


def _article(activation: str) -> str:
    return "a linear output" if activation == "linear" else f"a {activation}"
