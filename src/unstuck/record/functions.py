"""Functions inside a model: by which name its configuration refers to each, also to those that Keras cannot name.

Keras writes a lambda as the code without what it refers to, and a function of another library (`tf.nn.softmax`,
`jax.nn.relu`, `torch.tanh`, `keras.ops.square`) by a name under which it does not find it again.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from unstuck.record.altered import replaced

SAME = frozenset(
    {"relu", "relu6", "sigmoid", "tanh", "softmax", "log_softmax", "softplus", "softsign", "elu", "selu", "silu"}
)
"""Activations that are one function in Keras, TensorFlow, JAX and PyTorch; leaky_relu and gelu differ in a default."""
KERAS_OWN = ("build", "quantize")
"""Attributes of a layer that Keras puts around those of its class, with the layer inside."""


def functions(model: Any) -> dict[str, Any]:
    """Functions that the layers and the losses of a model call, by the name that stands for them in its configuration.

    Those that Keras finds by its own names are left out.
    """
    found: dict[str, Any] = {}
    for value in _called(model):
        if not any(value is known for known in found.values()):
            called, number = getattr(value, "__name__", f"a {type(value).__name__}"), 1
            name = called
            while name in found:
                number += 1
                name = f"{called} {number}"
            found[name] = value
    return found


def compiled(model: Any) -> dict[str, Any]:
    """What a model was compiled with, as it was given; empty where it was not."""
    return getattr(getattr(model, "_compile_config", None), "config", None) or {}


def _called(model: Any) -> Iterator[Any]:
    for value in leaves(compiled(model)):
        named = hasattr(value, "__name__") and not is_keras(value)
        if not isinstance(value, type) and (named or (callable(value) and not hasattr(value, "get_config"))):
            yield value
    for layer in model._flatten_layers():
        for attribute, value in vars(layer).items():
            if attribute not in KERAS_OWN and callable(value) and hasattr(value, "__name__"):
                own = hasattr(value, "__code__") and not is_keras(value)
                if own or (is_keras(type(layer)) and not isinstance(value, type) and not _known_to_keras(value)):
                    yield value


def _known_to_keras(value: Any) -> bool:
    module = str(getattr(value, "__module__", ""))
    return module.startswith("keras.") and not module.startswith("keras.src.ops.")


@contextlib.contextmanager
def named(model: Any) -> Iterator[None]:
    """Configurations refer to the functions of a model by their names, for a while."""
    import keras
    from keras.src import activations, constraints, initializers, regularizers

    called = functions(model)

    def by_name(serialize: Callable[[Any], Any]) -> Callable[[Any], Any]:
        return lambda value: _reference(value, called, serialize)

    def activation(value: Any) -> Any:
        name = _as_keras(value)
        return named_activation(getattr(keras.activations, name) if name else value)

    def inside(layer: Any, value: Any) -> Any:
        return _reference(value, called, lambda given: original(layer, given))

    named_activation = by_name(activations.serialize)
    original = keras.layers.Lambda._serialize_function_to_config
    others = {module: by_name(module.serialize) for module in (constraints, initializers, regularizers)}
    with (
        replaced("serialize", {activations: activation, **others}),
        replaced("_serialize_function_to_config", {keras.layers.Lambda: inside}),
    ):
        yield


def _as_keras(value: Any) -> str:
    """Name of the activation of Keras that a function of another library is, or ""."""
    name = str(getattr(value, "__name__", "")).removesuffix("_v2")
    return name if name in SAME and is_keras(value) and not _known_to_keras(value) else ""


def _reference(value: Any, called: Mapping[str, Any], otherwise: Callable[[Any], Any]) -> Any:
    name = next((name for name, function in called.items() if function is value), "")
    if not name:
        return otherwise(value)
    module = getattr(value, "__module__", None) or "__main__"  # an own `dice` is not Keras's
    return {"module": module, "class_name": "function", "config": name, "registered_name": "function"}


def compile_config(model: Any) -> dict[str, Any]:
    """`model.get_compile_config()` with the functions by their names."""
    settings = compiled(model)
    if not settings or not is_keras(model.get_compile_config):
        return model.get_compile_config()  # type: ignore[no-any-return]
    import keras

    return keras.saving.serialize_keras_object(_by_name(settings, functions(model)))  # type: ignore[no-any-return]


def _by_name(value: Any, called: Mapping[str, Any]) -> Any:
    if isinstance(value, dict):
        return {key: _by_name(item, called) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_by_name(item, called) for item in value)
    return _reference(value, called, lambda given: given)


def leaves(value: Any) -> list[Any]:
    """What nested dictionaries, lists and tuples hold, numbers and words left out."""
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in leaves(item)]
    if isinstance(value, (list, tuple)):
        return [leaf for item in value for leaf in leaves(item)]
    return [] if value is None or isinstance(value, (str, int, float, bool)) else [value]


def is_keras(value: Any) -> bool:
    """Whether a class or a function comes with Keras, a backend, or the standard library's `functools`, `inspect`."""
    module = getattr(value, "__module__", "") or ""
    return module.split(".")[0] in ("keras", "tensorflow", "torch", "jax", "jaxlib", "functools", "inspect")
