"""Descriptions of Keras objects as JSON: model, compile settings, layers, variables, and what needs pickling."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from functools import partial, partialmethod
from typing import Any

import numpy as np

from unstuck.record import custom
from unstuck.record.altered import replaced, tensorflow_left_alone
from unstuck.record.functions import compile_config, compiled, functions, is_keras, leaves, named
from unstuck.record.sites import Site

Made = tuple[tuple[Any, ...], dict[str, Any]]
"""Arguments that a class was called with: by position, and by name."""
MADE_WITH = "made_with"
"""Where a configuration keeps them, as a serialized list of both."""
TRAINS = "trains"
"""Beside them: which of the layer and those it holds are trainable, a parent before its children."""
HELD = "held"
"""Class of an argument among them that is kept with the custom objects instead, under the name it has there."""
MOST_CELLS = 1_000
"""Values of an array as text at most: a matrix of word vectors would be larger than all else in a record."""
MOST_BYTES = 32 * 2**20
"""Of an argument that is kept otherwise."""


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
        "compile": lambda: compile_config(model),
    }
    for key, make in parts.items():
        try:
            described[key] = make()
        except Exception as error:
            described[f"{key}_error"] = f"{type(error).__name__}: {error}"
    described["held"] = _held(model, site_of, made_with)
    described["optimizer"] = _optimizer(getattr(model, "optimizer", None))
    described["dtype"] = str(getattr(model, "compute_dtype", "float32"))
    return described


def serialized(model: Any, made_with: Callable[[Any], Any]) -> dict[str, Any]:
    """`keras.saving.serialize_keras_object`; classes of the person's without a `get_config` by what made them."""
    import keras

    uncompiled = {type(model): lambda _: None}  # what it is compiled with stands by itself
    with _speaking(model, made_with), named(model), replaced("get_compile_config", uncompiled):
        return keras.saving.serialize_keras_object(model)  # type: ignore[no-any-return]


@contextlib.contextmanager
def _speaking(model: Any, made_with: Callable[[Any], Any]) -> Iterator[None]:
    """Classes of the person's that do not say how their objects are made again say it.

    Those without a `build` of their own are built by being called again: only then have the layers they hold a shape.
    """

    def get_config(original: Callable[[Any], dict[str, Any]], layer: Any) -> dict[str, Any]:
        arguments = _arguments(made_with(layer))
        if arguments is None:
            return original(layer)
        trains = [bool(part.trainable) for part in layer._flatten_layers()]
        own = {"name": layer.name, "trainable": layer.trainable, "dtype": layer.dtype_policy.name}
        return {**own, MADE_WITH: arguments, TRAINS: trains}

    own = {type(layer) for layer in model._flatten_layers() if not is_keras(type(layer))}
    silent = {cls: partialmethod(partial(get_config, cls.get_config)) for cls in own if says_nothing(cls)}
    unbuilt = [cls for cls in own if is_keras(cls.build) and "get_build_config" not in vars(cls)]
    with (
        replaced("get_config", silent),
        replaced("get_build_config", dict.fromkeys(unbuilt, lambda _: None)),
    ):
        yield


def _arguments(made: Any) -> Any:
    """Arguments serialized, those that are already as they are; None where they are not known.

    What is not for text stands there by a name, under which `custom_objects` has it. The ends of a graph are not
    arguments to be made again: Keras describes such a model itself.
    """
    import keras

    if made is None or isinstance(made, list):
        return made
    if any(isinstance(leaf, keras.KerasTensor) for leaf in keras.tree.flatten(made)):
        return None
    return [[_argument(value) for value in made[0]], {key: _argument(value) for key, value in made[1].items()}]


def _argument(value: Any) -> Any:
    import keras

    sizes = (np.prod(tuple(getattr(leaf, "shape", ())), dtype=object) for leaf in keras.tree.flatten(value))
    code = callable(value) and not hasattr(value, "get_config")
    if not code and all(size <= MOST_CELLS for size in sizes):
        with contextlib.suppress(Exception):  # Keras cannot write it: the configuration of a script, say
            written = keras.saving.serialize_keras_object(value)
            json.dumps(written)
            return written
    return {"class_name": HELD, "config": _name(value)}


def _name(value: Any) -> str:
    return f"{type(value).__name__} {id(value)}"


def _held_arguments(made: Any) -> dict[str, Any]:
    """Arguments that are not for text, by their name, if they can be kept otherwise."""
    written = _arguments(made)
    if written is None or isinstance(made, list):
        return {}
    pairs = [*zip(made[0], written[0], strict=True), *((made[1][key], value) for key, value in written[1].items())]
    found = {_name(v): v for v, w in pairs if isinstance(w, dict) and w.get("class_name") == HELD}
    return {name: value for name, value in found.items() if custom.picklable(value, MOST_BYTES)}


def _held(model: Any, site_of: Callable[[Any], Site | None], made_with: Callable[[Any], Any]) -> list[dict[str, Any]]:
    """All layers that a model holds, where any of the classes is the person's, for `record/unfold.py`."""
    held = model._flatten_layers(include_self=False)
    if all(is_keras(type(layer)) for layer in (model, *held)):
        return []
    found = []
    with _speaking(model, made_with), named(model):
        for layer in held:
            try:
                arguments = _arguments(made_with(layer))
            except Exception:
                arguments = None
            place = {"name": layer.name, "kind": type(layer).__name__, "site": site_of(layer)}
            found.append({**place, "trainable": layer.trainable, MADE_WITH: arguments})
    return found


def says_nothing(cls: Any) -> bool:
    """Whether neither a class of the person's nor one it comes from says how its objects are made again."""
    return not is_keras(cls) and all(
        is_keras(next(base for base in cls.__mro__ if name in vars(base))) for name in ("get_config", "from_config")
    )


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
            found |= _held_arguments(made_with(layer))
    return found
