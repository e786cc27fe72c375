"""How objects of the person's own classes are made again: said for them where their classes do not say it.

Keras writes a layer as what its `get_config` returns. A class that has none of its own, or one that leaves out what its
`__init__` asks for, is written as what it was called with; what is no text, by a name under which it is kept beside.
"""

from __future__ import annotations

import contextlib
import inspect
import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial, partialmethod
from typing import Any, NamedTuple

import numpy as np

from unstuck.record import custom
from unstuck.record.altered import replaced
from unstuck.record.functions import compiled, is_keras, leaves

Made = tuple[tuple[Any, ...], dict[str, Any]]
"""Arguments that a class was called with: by position, and by name."""
MADE_WITH = "made_with"
"""Where a configuration keeps them, as a serialized list of both."""
TRAINS = "trains"
"""Beside them: which of the layer and those it holds are trainable, a parent before its children."""
HELD = "held"
"""Class of an argument, or key of an object, that is kept beside and not as text; with the name that it has there."""
MOST_CELLS = 1_000
"""Values of an array as text at most: a matrix of word vectors would be larger than all else in a record."""
MOST_BYTES = 32 * 2**20
"""Of what is kept beside."""


class Whole(NamedTuple):
    """An object by its class and its attributes: Keras pickles its own kind as what `get_config` says."""

    made_by: Any
    attributes: dict[str, Any]


@contextlib.contextmanager
def speaking(model: Any, made_with: Callable[[Any], Any]) -> Iterator[None]:
    """Classes of the person's that do not say how their objects are made again say it, for a while.

    Layers without a `build` of their own are built by being called again: only then have those they hold a shape.

    Args:
        made_with: from a layer to the arguments that its class was called with, as `Made` or serialized, or None where
            they are not known.
    """

    def get_config(original: Callable[[Any], dict[str, Any]], layer: Any) -> dict[str, Any]:
        with contextlib.suppress(Exception):
            arguments = None if _says_all(layer, original) else written(made_with(layer))
            if arguments is not None:
                trains = [bool(part.trainable) for part in layer._flatten_layers()]
                own = {"name": layer.name, "trainable": layer.trainable, "dtype": layer.dtype_policy.name}
                return {**own, MADE_WITH: arguments, TRAINS: trains}
        return original(layer)

    own = {type(layer) for layer in model._flatten_layers() if not is_keras(type(layer))}
    layers = {cls: partialmethod(partial(get_config, cls.get_config)) for cls in own}
    whole = {type(value): lambda value: {HELD: _name(value)} for value in _kept_whole(model)}
    unbuilt = [cls for cls in own if is_keras(cls.build) and "get_build_config" not in vars(cls)]
    with (
        replaced("get_config", layers | whole),
        replaced("get_build_config", dict.fromkeys(unbuilt, lambda _: None)),
    ):
        yield


@contextlib.contextmanager
def made_again(custom_objects: Mapping[str, Any]) -> Iterator[None]:
    """Classes are called with what they were called with at first where that is how they were written, for a while."""
    own: list[Any] = [c for c in custom_objects.values() if isinstance(c, type) and hasattr(c, "from_config")]
    again = {c: classmethod(partial(_from_config, c.from_config, says_nothing(c), custom_objects)) for c in own}
    with replaced("from_config", again):
        yield


def kept_beside(model: Any, made_with: Callable[[Any], Made | None]) -> dict[str, Any]:
    """What `speaking` writes by a name alone, by that name, if it can be pickled; with the classes to find it by."""
    whole = _kept_whole(model)
    classes = {type(value).__name__: type(value) for value in whole}
    found: dict[str, Any] = {_name(value): Whole(type(value), vars(value)) for value in whole}
    for layer in model._flatten_layers():
        made = made_with(layer)
        if made is not None and not _ends_of_a_graph(made):
            arguments = (*made[0], *made[1].values())
            found |= {_name(value): value for value in arguments if _class(_argument(value)) == HELD}
    return (custom.picklable(found, MOST_BYTES) if found else {}) | classes


def written(made: Any) -> Any:
    """Arguments serialized, those that are already as they are; None where they are not known.

    The ends of a graph are not arguments to be made again: Keras describes such a model itself.
    """
    if made is None or isinstance(made, list):
        return made
    if _ends_of_a_graph(made):
        return None
    return [[_argument(value) for value in made[0]], {key: _argument(value) for key, value in made[1].items()}]


def _ends_of_a_graph(made: Made) -> bool:
    import keras

    return any(isinstance(leaf, keras.KerasTensor) for leaf in keras.tree.flatten(made))


def says_nothing(cls: Any) -> bool:
    """Whether neither a class of the person's nor one it comes from says how its objects are made again."""
    return not is_keras(cls) and all(
        is_keras(next(base for base in cls.__mro__ if name in vars(base))) for name in ("get_config", "from_config")
    )


def _says_all(layer: Any, get_config: Callable[[Any], dict[str, Any]]) -> bool:
    """Whether its class has a `get_config` of its own with all that its `__init__` asks for."""
    cls = type(layer)
    if says_nothing(cls):
        return False
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    asked = {name for name, found in inspect.signature(cls.__init__).parameters.items() if found.kind in kinds}
    try:
        return asked - {"self"} <= get_config(layer).keys()
    except Exception:
        return False


def _kept_whole(model: Any) -> list[Any]:
    """Losses, schedules, initialisers, regularisers, constraints of classes that do not say how they are made again."""
    import keras

    kinds = (
        keras.losses.Loss,
        keras.optimizers.schedules.LearningRateSchedule,
        keras.initializers.Initializer,
        keras.regularizers.Regularizer,
        keras.constraints.Constraint,
    )
    settings = leaves(compiled(model))
    schedules = [getattr(value, "_learning_rate", None) for value in settings]
    held = [value for layer in model._flatten_layers() for value in vars(layer).values()]
    found = [v for v in (*settings, *schedules, *held) if isinstance(v, kinds) and says_nothing(type(v))]
    return list({id(value): value for value in found}.values())


def _argument(value: Any) -> Any:
    import keras

    sizes = (np.prod(tuple(getattr(leaf, "shape", ())), dtype=object) for leaf in keras.tree.flatten(value))
    code = callable(value) and not hasattr(value, "get_config")
    if not code and all(size <= MOST_CELLS for size in sizes):
        with contextlib.suppress(Exception):  # Keras cannot write it: the configuration of a script, say
            text = keras.saving.serialize_keras_object(value)
            json.dumps(text)
            return text
    return {"class_name": HELD, "config": _name(value)}


def _class(text: Any) -> str:
    return str(text.get("class_name")) if isinstance(text, dict) else ""


def _name(value: Any) -> str:
    return f"{type(value).__name__} {id(value)}"


def _from_config(original: Any, silent: bool, held: Mapping[str, Any], cls: Any, config: dict[str, Any]) -> Any:  # noqa: FBT001
    import keras

    if HELD in config:
        return _beside(config[HELD], held, cls)
    made = config.get(MADE_WITH)
    if made is None:
        try:
            return original(config)
        except TypeError:  # Keras's own words, of which the class need not take all
            if not silent:
                raise
            return cls(**{k: v for k, v in config.items() if k in inspect.signature(cls.__init__).parameters})

    def argument(value: Any) -> Any:
        if _class(value) == HELD:
            return _beside(value["config"], held, cls)
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


def _beside(name: str, held: Mapping[str, Any], cls: Any) -> Any:
    if name not in held:
        raise LookupError(f"{cls.__name__} was called with a {name.split()[0]}, which cannot be kept")
    value = held[name]
    if not isinstance(value, Whole):
        return value
    again = value.made_by.__new__(value.made_by)
    vars(again).update(value.attributes)
    return again
