"""The inverse of describing: a compiled Keras model from recorded configuration, custom objects and variables."""

from __future__ import annotations

import contextlib
import copy
import inspect
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from unstuck.record import custom
from unstuck.record.altered import replaced
from unstuck.record.describe import HELD, MADE_WITH, TRAINS, leaf_layers, says_nothing


class CannotRebuild(Exception):
    """The model cannot be made from what was recorded; the message says why."""


_INPUT_NAMES = "_unstuck_input_names"


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
    with keras.saving.custom_object_scope(custom_objects or {}), _made_again(custom_objects or {}):
        try:
            model = keras.saving.deserialize_keras_object(copy.deepcopy(config), safe_mode=False)
            if names and not hasattr(model, "_inputs_struct"):
                object.__setattr__(model, _INPUT_NAMES, tuple(names))  # past Keras, which would track it
            if not model.built and len(sample):
                model(arranged([keras.ops.convert_to_tensor(a[:2]) for a in sample], model))
            if settings:
                _compile(model, settings)
        except Exception as error:
            raise CannotRebuild(
                f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
            ) from error
    return model


@contextlib.contextmanager
def _made_again(custom_objects: dict[str, Any]) -> Iterator[None]:
    """Classes that do not say how their objects are made again are called with what they were called with at first."""
    import keras

    own: list[Any] = [c for c in custom_objects.values() if isinstance(c, type) and issubclass(c, keras.Layer)]
    silent = {c: classmethod(partial(_from_config, c.from_config, custom_objects)) for c in own if says_nothing(c)}
    with replaced("from_config", silent):
        yield


def _from_config(original: Any, held: Mapping[str, Any], cls: Any, config: dict[str, Any]) -> Any:
    import keras

    made = config.get(MADE_WITH)
    if made is None:
        try:
            return original(config)
        except TypeError:  # Keras's own words, of which the class need not take all
            return cls(**{k: v for k, v in config.items() if k in inspect.signature(cls.__init__).parameters})

    def argument(value: Any) -> Any:
        if isinstance(value, dict) and value.get("class_name") == HELD:
            name = value["config"]
            if name not in held:
                raise LookupError(f"{cls.__name__} was called with a {name.split()[0]}, which cannot be kept")
            return held[name]
        return keras.saving.deserialize_keras_object(value, safe_mode=False)

    arguments, named = [argument(value) for value in made[0]], {key: argument(v) for key, v in made[1].items()}
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(config["dtype"])  # the layers that it makes have that of the process
    try:
        layer = cls(*arguments, **named)
    finally:
        keras.config.set_dtype_policy(before)
    layer.name = config["name"]
    parts = layer._flatten_layers()
    trains = config.get(TRAINS, ())
    flags = trains if len(trains) == len(parts) else [config["trainable"]] * (not config["trainable"])
    for part, flag in zip(parts, flags, strict=False):
        part.trainable = flag  # which its own parts follow, until it is their turn
    return layer


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
    model.compile_from_config(settings)


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
