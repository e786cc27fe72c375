"""Descriptions of Keras objects as JSON: model, compile settings, layers, variables, and what needs pickling."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from unstuck.record.altered import replaced, tensorflow_left_alone
from unstuck.record.functions import compile_config, compiled, functions, is_keras, leaves, named
from unstuck.record.made import MADE_WITH, kept_beside, speaking, written
from unstuck.record.sites import Site


@tensorflow_left_alone()
def describe_model(
    model: Any, site_of: Callable[[Any], Site | None], made_with: Callable[[Any], Any] = lambda _: None
) -> dict[str, Any]:
    """Configuration of a model as it is now; parts that cannot be described are None with the reason beside them.

    Args:
        model: a keras.Model, built or not.
        site_of: from a layer to the `Site` it was built at, or None.
        made_with: from a layer to the arguments that its class was called with, as `Made` or serialized, or None where
            they are not known.
    """
    import keras

    described: dict[str, Any] = {
        "name": model.name,
        "class": type(model).__name__,
        "kind": _kind(model, keras),
        "built": bool(model.built),
        "site": site_of(model),
        "layers": [],
        "variables": [_variable(v) for v in model.variables] if model.built else [],
        "config": None,
        "compile": None,
        "custom_train_step": _overrides(model, keras, "train_step") or _overrides(model, keras, "compute_loss"),
    }
    with named(model):
        described["layers"] = describe_layers(leaf_layers(model), site_of)
    parts: dict[str, Callable[[], Any]] = {
        "config": lambda: serialized(model, made_with),
        "compile": lambda: _settings(model, made_with),
    }
    for key, make in parts.items():
        try:
            described[key] = make()
        except Exception as error:
            described[f"{key}_error"] = f"{type(error).__name__}: {error}"
    described["held"] = _held(model, site_of, made_with)
    with speaking(model, made_with):
        described["optimizer"] = _optimizer(getattr(model, "optimizer", None))
    described["dtype"] = str(getattr(model, "compute_dtype", "float32"))
    return described


def _settings(model: Any, made_with: Callable[[Any], Any]) -> dict[str, Any]:
    with speaking(model, made_with):
        return compile_config(model)


def serialized(model: Any, made_with: Callable[[Any], Any]) -> dict[str, Any]:
    """`keras.saving.serialize_keras_object`; classes of the person's without a `get_config` by what made them."""
    import keras

    uncompiled = {type(model): lambda _: None}  # what it is compiled with stands by itself
    with speaking(model, made_with), named(model), replaced("get_compile_config", uncompiled):
        return keras.saving.serialize_keras_object(model)  # type: ignore[no-any-return]


def _held(model: Any, site_of: Callable[[Any], Site | None], made_with: Callable[[Any], Any]) -> list[dict[str, Any]]:
    """All layers that a model holds, where any of the classes is the person's, for `record/unfold.py`."""
    held = model._flatten_layers(include_self=False)
    if all(is_keras(type(layer)) for layer in (model, *held)):
        return []
    found = []
    with speaking(model, made_with), named(model):
        for layer in held:
            try:
                arguments = written(made_with(layer))
            except Exception:
                arguments = None
            place = {"name": layer.name, "kind": type(layer).__name__, "site": site_of(layer)}
            found.append({**place, "trainable": layer.trainable, MADE_WITH: arguments})
    return found


def port_names(model: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of a functional model's inputs and outputs, in its order; empty for models without them."""
    inputs, outputs = getattr(model, "_inputs_struct", None), getattr(model, "_outputs_struct", None)
    return (
        _keys(inputs) if isinstance(inputs, dict) else tuple(t.name for t in getattr(model, "inputs", None) or ()),
        _keys(outputs) if isinstance(outputs, dict) else tuple(getattr(model, "output_names", None) or ()),
    )


def _keys(struct: dict[str, Any]) -> tuple[str, ...]:
    """In the order of the lists that Keras makes of a dict: sorted, not as they were written."""
    import keras

    return tuple(keras.tree.flatten({key: str(key) for key in struct}))


def leaf_layers(model: Any) -> list[Any]:
    """Layers in call order, nested models opened, wrappers kept."""
    found: list[Any] = []
    for layer in getattr(model, "layers", []):
        found.extend(leaf_layers(layer) if getattr(layer, "layers", None) else [layer])
    return found


@tensorflow_left_alone()
def describe_layers(layers: list[Any], site_of: Any) -> list[dict[str, Any]]:
    return [_layer(layer, site_of) for layer in layers]


def _kind(model: Any, keras: Any) -> str:
    if isinstance(model, keras.Sequential):
        return "sequential"
    return (
        "functional"
        if type(model).__name__ == "Functional" or (hasattr(model, "_nodes") and hasattr(model, "input_names"))
        else "subclassed"
    )


def _overrides(model: Any, keras: Any, method: str) -> bool:
    owner = next((c for c in type(model).__mro__ if method in c.__dict__), None)
    return owner is not None and not owner.__module__.startswith("keras.")


def _layer(layer: Any, site_of: Any) -> dict[str, Any]:
    config: dict[str, Any]
    try:
        config = layer.get_config()
    except Exception:
        config = {}
    shape: Any = None
    try:
        shape = list(layer.output.shape)
    except Exception:
        shape = None
    return {
        "name": layer.name,
        "kind": type(layer).__name__,
        "module": type(layer).__module__,
        "config": config,
        "trainable": bool(layer.trainable),
        "params": int(sum(np.prod(w.shape) for w in layer.weights)) if layer.built else None,
        "trainable_params": int(sum(np.prod(w.shape) for w in layer.trainable_weights)) if layer.built else None,
        "output_shape": shape,
        "site": site_of(layer),
    }


def _variable(variable: Any) -> dict[str, Any]:
    return {
        "path": getattr(variable, "path", variable.name),
        "shape": list(variable.shape),
        "trainable": bool(variable.trainable),
    }


def _optimizer(optimizer: Any) -> dict[str, Any] | None:
    if optimizer is None:
        return None
    inner = getattr(optimizer, "inner_optimizer", None) or optimizer
    described: dict[str, Any] = {"kind": type(inner).__name__.lower(), "config": {}}
    try:
        described["config"] = inner.get_config()
    except Exception as error:
        described["error"] = str(error)
    try:
        described["learning_rate"] = float(np.asarray(inner.learning_rate))
        described["iterations"] = int(np.asarray(inner.iterations))
    except Exception:
        described.setdefault("learning_rate", None)
    return described


def custom_objects(model: Any, made_with: Callable[[Any], Any] = lambda _: None) -> dict[str, Any]:
    """Functions, classes and arguments that the configuration refers to by a name that Keras does not know."""
    found = functions(model)
    for value in leaves(compiled(model)):
        if not is_keras(type(value)) and type(value).__module__ not in ("builtins", "numpy"):
            found[type(value).__name__] = type(value)
    for layer in model._flatten_layers():
        if not is_keras(type(layer)):
            found[type(layer).__name__] = type(layer)
    return found | kept_beside(model, made_with)
