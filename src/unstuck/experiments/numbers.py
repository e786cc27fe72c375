"""Settings that are plain numbers: experiments that differ in nothing else share one compiled program.

Their values are taken out of the configuration and handed to the program as arguments, one a trial. Initialisers are
taken out as well, since a program is given the initial weights.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from unstuck.experiments.experiment import Experiment, optimizer_config

RATES = frozenset({"Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D"})
"""Layers that pass their `rate` on to `keras.random.dropout` (keras/src/layers/regularization/dropout.py)."""
PENALTIES = {"L1": "l1", "L2": "l2"}
"""Regularisers that multiply by their strength without asking what it is (keras/src/regularizers/regularizers.py)."""
OF_OPTIMIZER = ("beta_1", "beta_2", "weight_decay")
"""Numbers of optimisers that only take part in arithmetic (keras/src/optimizers/base_optimizer.py, adam.py)."""
HOLE = "a number"

Path = tuple[str, ...]


def split(experiment: Experiment) -> tuple[dict[str, Any], dict[str, Any], dict[Path, float]]:
    """Model and compile configuration with holes, and the numbers that were there by their path."""
    model, settings = copy.deepcopy(experiment.model), experiment.with_compile()[1]
    values: dict[Path, float] = {}
    _empty_layers(model, (), values)
    optimizer = optimizer_config(settings)
    for name in OF_OPTIMIZER:
        if isinstance(optimizer.get(name), (int, float)) and not isinstance(optimizer[name], bool):
            values["optimizer", name] = float(optimizer[name])
            optimizer[name] = HOLE
    if experiment.learning_rate is not None:
        optimizer["learning_rate"] = HOLE
    return model, settings, values


def without_strength(regularizer: Any) -> Any:
    """A serialized regulariser that penalises nothing, of the same kind where its strength is a plain number."""
    if not isinstance(regularizer, dict) or regularizer.get("class_name") not in PENALTIES:
        return None
    return {**regularizer, "config": {PENALTIES[regularizer["class_name"]]: 0.0}}


def _empty_layers(model: dict[str, Any], above: Path, values: dict[Path, float]) -> None:
    for layer in model["config"].get("layers", []):
        config, path = layer.get("config", {}), (*above, layer.get("config", {}).get("name", ""))
        if "layers" in config:
            _empty_layers(layer, path, values)
            continue
        if layer["class_name"] in RATES and 0 < config["rate"] < 1 and _single(config):
            values[*path, "rate"] = float(config["rate"])
            config["rate"] = HOLE
        for key, given in config.items():
            if key.endswith("_initializer"):
                config[key] = None
            elif key.endswith("_regularizer") and isinstance(given, dict) and given.get("class_name") in PENALTIES:
                strength = PENALTIES[given["class_name"]]
                values[*path, key, strength] = float(given["config"][strength])
                given["config"][strength] = HOLE


def _single(config: Mapping[str, Any]) -> bool:
    """Whether a layer computes in float32; a traced number would turn half precision into it."""
    return "'float32'" in repr([config.get("dtype", "float32")])


@contextmanager
def bound(model: Any, values: Mapping[Path, Any]) -> Iterator[None]:
    """The model with these numbers, which may be traced, in their places; its own again afterwards."""
    places = [(*_place(model, path), value) for path, value in values.items()]
    before = [getattr(owner, name) for owner, name, _ in places]
    try:
        for owner, name, value in places:
            setattr(owner, name, _Rate(value) if name == "rate" else value)
        yield
    finally:
        for (owner, name, _), value in zip(places, before, strict=True):
            setattr(owner, name, value)


def _place(model: Any, path: Path) -> tuple[Any, str]:
    if path[0] == "optimizer":
        return getattr(model.optimizer, "inner_optimizer", model.optimizer), path[1]
    owner = model
    for i, name in enumerate(path[:-1]):
        inner = name.endswith("_regularizer") and i == len(path) - 2
        owner = getattr(owner, name) if inner else owner.get_layer(name)
    return owner, path[-1]


class _Rate:
    """A dropout rate that is not known yet: dropout asks whether it is above 0, and is right to drop nothing at 0."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __gt__(self, other: float) -> bool:
        return True

    def __rsub__(self, other: float) -> Any:
        return other - self.value
