"""An experiment: a training run as plain data, which interventions copy with one thing changed."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Decoding:
    """How the network's output is read back in the units of the recorded labels.

    Attributes:
        scale, shift: y = output * scale + shift, for rescaled regression targets, each shape (k,) or scalar.
        activation: applied to the output before reading it as probabilities: "", `sigmoid` or `softmax`.
    """

    scale: Any = 1.0
    shift: Any = 0.0
    activation: str = ""


@dataclass(frozen=True)
class Experiment:
    """Model, compile settings, data and steps of one training run.

    Attributes:
        model: serialized Keras model (`keras.saving.serialize_keras_object`), without weights.
        compile: serialized compile settings.
        x: training inputs, one array an input, each (n, ...).
        y: training targets of the output that is scored, as they are handed to the loss, (n, ...).
        other_y: targets of the other outputs of a model that has several, each (n, ...).
        judged: which output is scored; `other_y` are those before and after it, in order.
        weight: sample weights (n,) with class weights multiplied in, or None.
        held_x: held-out inputs, one array an input. The held-out labels are not here: nothing that changes an
            experiment can touch them.
        learning_rate: replaces the rate of the optimiser when not None.
        rates: factor on the learning rate in each epoch, (epochs,), where callbacks changed it; or None.
        initial: variables to start from (`model.variables` order), or None to initialise afresh for each seed.
        kept: variables that no seed initialises afresh, by their key (`record/given.py`): what was loaded, set by hand,
            or left by an earlier fit.
        seed_offset: added to every seed; the placebo uses it.
    """

    model: dict[str, Any]
    compile: dict[str, Any]
    x: tuple[np.ndarray, ...]
    y: np.ndarray
    held_x: tuple[np.ndarray, ...]
    batch_size: int
    epochs: int
    shuffle: bool = True
    weight: np.ndarray | None = None
    learning_rate: float | None = None
    rates: np.ndarray | None = None
    other_y: tuple[np.ndarray, ...] = ()
    judged: int = 0
    initial: tuple[np.ndarray, ...] | None = None
    kept: Mapping[str, np.ndarray] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    """By which the recorded fit was given its inputs, in the order of `x`; none where it was given arrays."""
    decoding: Decoding = Decoding()
    seed_offset: int = 0
    scored_y: np.ndarray | None = None
    """Canonical labels of the training rows, where these are not the recorded ones in their order."""
    custom: Any = None
    """Folder and name of signed custom objects, for the worker to load."""

    @property
    def steps(self) -> int:
        return self.epochs * -(-len(self.y) // self.batch_size)

    @property
    def targets(self) -> list[np.ndarray]:
        """Targets of all outputs, in the model's order."""
        return [*self.other_y[: self.judged], self.y, *self.other_y[self.judged :]]

    def at(self, rows: np.ndarray) -> Experiment:
        """A copy that trains on these rows, in this order."""
        return replace(
            self,
            x=tuple(a[rows] for a in self.x),
            y=self.y[rows],
            other_y=tuple(a[rows] for a in self.other_y),
            weight=None if self.weight is None else self.weight[rows],
            scored_y=None if self.scored_y is None else self.scored_y[rows],
            batch_size=min(self.batch_size, len(rows)),
        )

    def lasting(self, epochs: int) -> Experiment:
        """A copy of so many epochs; beyond the recorded ones the last learning rate is kept."""
        rates = None
        if self.rates is not None:
            rates = self.rates[np.minimum(np.arange(epochs), len(self.rates) - 1)]
        return replace(self, epochs=epochs, rates=rates)

    def with_model(self) -> tuple[Experiment, dict[str, Any]]:
        """A copy with its own model configuration, and that configuration to edit."""
        model = copy.deepcopy(self.model)
        return replace(self, model=model, initial=None), model

    def with_compile(self) -> tuple[Experiment, dict[str, Any]]:
        """A copy with its own compile settings, and those settings to edit."""
        settings = copy.deepcopy(self.compile)
        return replace(self, compile=settings), settings


def layer_configs(model: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Serialized layers of a serialized model in order, nested models opened; each `{class_name, config, ...}`."""
    for layer in model["config"].get("layers", []):
        if "layers" in layer.get("config", {}):
            yield from layer_configs(layer)
        else:
            yield layer


def arguments_ending(config: object, ending: str) -> tuple[str, ...]:
    """Names of the arguments of a layer that end so and are given: `_regularizer`, `_constraint`."""
    items = config.items() if hasattr(config, "items") else ()
    return tuple(key for key, value in items if key.endswith(ending) and value)


def compile_config(settings: dict[str, Any]) -> dict[str, Any]:
    """The editable part of serialized compile settings: `optimizer`, `loss`, `metrics`, ..."""
    inner = settings.get("config") if "class_name" in settings else settings
    return inner if isinstance(inner, dict) else settings


def optimizer_config(settings: dict[str, Any]) -> dict[str, Any]:
    """The optimiser's own config inside compile settings, made explicit when it was named by a string."""
    chosen = compile_config(settings)
    if isinstance(chosen.get("optimizer"), str):
        chosen["optimizer"] = {"module": "keras.optimizers", "class_name": chosen["optimizer"], "config": {}}
    optimizer = chosen["optimizer"]
    inner = optimizer["config"].get("inner_optimizer")
    return inner["config"] if isinstance(inner, dict) else optimizer["config"]  # type: ignore[no-any-return]
