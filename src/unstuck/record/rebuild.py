"""The inverse of describing: a compiled Keras model from recorded configuration, custom objects and variables."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from unstuck.record import custom
from unstuck.record.describe import leaf_layers
from unstuck.record.made import made_again


class CannotRebuild(Exception):
    """The model cannot be made from what was recorded; the message says why."""


_INPUT_NAMES = "_unstuck_input_names"
SCALE = "scale"
"""Beside the class of a schedule in compile settings: its rates are multiplied by it."""


def rebuild(
    config: dict[str, Any] | None,
    settings: dict[str, Any] | None,
    custom_objects: dict[str, Any] | None = None,
    sample: Sequence[np.ndarray] = (),
    names: Sequence[str] = (),
) -> Any:
    """A built and compiled model.

    Args:
        config: from `keras.saving.serialize_keras_object(model)`.
        settings: from `model.get_compile_config()`, or None to leave it uncompiled.
        custom_objects: classes and functions the configuration names.
        sample: inputs to build with when the configuration does not say the shape.
        names: by which a model that is no functional one was given its inputs, in their order; none for a list.

    Raises:
        CannotRebuild: when Keras cannot make the model from its configuration.
    """
    import keras

    if config is None:
        raise CannotRebuild("the model has no configuration to rebuild it from (a subclass without get_config)")
    config = {k: v for k, v in config.items() if k != "compile_config"}
    with keras.saving.custom_object_scope(custom_objects or {}), made_again(custom_objects or {}):
        try:
            model = keras.saving.deserialize_keras_object(copy.deepcopy(config), safe_mode=False)
            if names and not hasattr(model, "_inputs_struct"):
                object.__setattr__(model, _INPUT_NAMES, tuple(names))  # past Keras, which would track it
            if len(sample) and not all(layer.built for layer in model._flatten_layers()):
                _build(model, sample)
            if settings:
                _compile(model, settings)
        except Exception as error:
            raise CannotRebuild(
                f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
            ) from error
    return model


def _build(model: Any, sample: Sequence[np.ndarray]) -> None:
    """Call it once: layers inside a layer that has no `build` have their weights only then."""
    import keras

    complete = model.built
    try:
        model(arranged([keras.ops.convert_to_tensor(a[:2]) for a in sample], model))
    except Exception:
        if not complete:
            raise


def _compile(model: Any, settings: dict[str, Any]) -> None:
    """Compile without metrics: they do not change training, and an altered output may not fit them."""
    settings = copy.deepcopy(settings)
    inner = settings["config"] if "class_name" in settings and "config" in settings else settings
    for name in ("metrics", "weighted_metrics"):
        inner[name] = None
    optimizer = inner.get("optimizer")
    if isinstance(optimizer, dict) and str(optimizer.get("module")).startswith("keras.src.backend."):
        optimizer.update(module="keras.optimizers", registered_name=None)  # PyTorch names its own implementation
    inner["run_eagerly"] = False
    inner["jit_compile"] = "auto"
    inner["steps_per_execution"] = 1
    scale = _popped_scale(optimizer)
    model.compile_from_config(settings)
    if scale is not None:
        inside = getattr(model.optimizer, "inner_optimizer", model.optimizer)
        inside._learning_rate = _scaled(inside._learning_rate, scale)


def _popped_scale(optimizer: Any) -> float | None:
    config = optimizer.get("config", {}) if isinstance(optimizer, dict) else {}
    inside = config.get("inner_optimizer")
    rate = (inside["config"] if isinstance(inside, dict) else config).get("learning_rate")
    return rate.pop(SCALE, None) if isinstance(rate, dict) else None


def _scaled(schedule: Any, factor: float) -> Any:
    """A schedule with all its rates multiplied."""

    def call(self: Any, step: Any) -> Any:
        return factor * schedule(step)

    again = copy.copy(schedule)
    again.__class__ = type(type(schedule).__name__, (type(schedule),), {"__call__": call})
    return again


def arranged(inputs: Sequence[Any], model: Any = None) -> Any:
    """Inputs as a model takes them: the array itself for one, a list for several, a dict where it was built of one."""
    struct = getattr(model, "_inputs_struct", None)  # a list of its inputs is in the order of the sorted keys
    names = sorted(struct) if isinstance(struct, dict) else getattr(model, _INPUT_NAMES, ())
    if names and len(names) == len(inputs):
        return dict(zip(names, inputs, strict=True))
    return inputs[0] if len(inputs) == 1 else list(inputs)


def output_of(outputs: Any, index: int = 0) -> Any:
    """One output of a model that has one or several, as `predict` or a call return them."""
    if isinstance(outputs, dict):  # in the order of the targets: that of the sorted keys
        outputs = [outputs[key] for key in sorted(outputs)]
    return outputs[index] if isinstance(outputs, (list, tuple)) else outputs


def assign(model: Any, values: Sequence[np.ndarray]) -> None:
    """Give every variable its recorded value.

    Raises:
        CannotRebuild: when number or shapes differ.
    """
    variables = model.variables
    shapes = [tuple(v.shape) for v in variables]
    if shapes != [v.shape for v in values]:
        raise CannotRebuild(
            f"the rebuilt model has variables {shapes[:4]}..., recorded were {[v.shape for v in values][:4]}..."
        )
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
    import keras

    for layer in leaf_layers(model):
        if isinstance(layer, keras.layers.Normalization) and layer.input_mean is None:
            layer.finalize_state()  # it computes with copies of its variables


def load_objects(folder: Path, fit: int) -> dict[str, Any]:
    loaded = custom.load(folder, f"custom-{fit}")
    return loaded if isinstance(loaded, dict) else {}
