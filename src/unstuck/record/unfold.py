"""A model with classes of the person's own as the graph of layers that they call, so that it can be read and changed.

Their `call` is run once on symbolic inputs, in a process of ours: a functional model of the same layers comes out, if
it calls nothing but Keras layers and operations, the same in training and in prediction, and its values agree.
"""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from unstuck.record.altered import replaced
from unstuck.record.describe import describe_model
from unstuck.record.functions import is_keras
from unstuck.record.made import MADE_WITH
from unstuck.record.rebuild import CannotRebuild, arranged, load_objects, rebuild
from unstuck.record.recorded import RecordedFit, numbered
from unstuck.record.store import Writer

ROWS = 8
TOLERANCE = 1e-5
"""Relative; both compute the same with the same weights, in float32."""


def unfold(folder: Path, fit: RecordedFit) -> bool:
    """Describe the model of a fit anew, as a functional one; False, and nothing written, where it cannot be.

    The new description has `order`: which of the variables as recorded each of its variables is. `held`
    stays as it was.
    """
    recorded = fit.body["model"]
    unreadable = recorded["custom_train_step"] or recorded.get("config") is None
    if not recorded.get("held") or unreadable or "order" in recorded:
        return False
    x = tuple(array[:ROWS] for array in numbered(fit.arrays, "train-x"))
    try:
        model = rebuild(recorded["config"], None, load_objects(folder, fit.index), x, fit.input_names)
        held = _as_recorded(model, recorded["held"])
        graph = _graph(model, x)
        order = _order(model, graph)
        if [list(v.shape) for v in model.variables] != [v["shape"] for v in recorded["variables"]]:
            raise CannotRebuild("other variables than recorded")
        _compare(model, graph, x)
    except Exception:  # whatever a person's own code raises on symbolic inputs; the model stays as it is
        return False
    body = describe_model(
        graph,
        lambda layer: held.get(layer.name, {}).get("site"),
        lambda layer: held.get(layer.name, {}).get(MADE_WITH),
    )
    kept = {k: recorded[k] for k in ("name", "class", "site", "compile", "optimizer", "dtype", "held")}
    Writer(folder).event("model", {**body, **kept, "order": order}, fit=fit.index)
    return True


def _as_recorded(model: Any, recorded: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Give the layers the names they had, which each process counts anew; what was recorded of each, by name."""
    held = model._flatten_layers(include_self=False)
    if [type(layer).__name__ for layer in held] != [described["kind"] for described in recorded]:
        raise CannotRebuild("other layers than recorded")
    found: dict[str, dict[str, Any]] = {}
    for number, (layer, described) in enumerate(zip(held, recorded, strict=True)):
        layer.name = f"{described['name']}_{number}" if described["name"] in found else described["name"]
        layer.trainable = described["trainable"]
        found[layer.name] = described
    return found


def _graph(model: Any, x: Sequence[np.ndarray]) -> Any:
    """Calls in training and prediction must be the same: the graph has no branch that depends on it."""
    import keras

    dtypes = ["float32" if a.dtype.kind == "f" else a.dtype for a in x]  # as Keras makes it of any floats
    inputs = [
        keras.Input(a.shape[1:], dtype=d, name=f"input_{i}") for i, (a, d) in enumerate(zip(x, dtypes, strict=True))
    ]
    found = []
    for training in (None, True, False):
        through = _through(training)
        with _opened(model, through):
            found.append(keras.Model(arranged(inputs), through(model, arranged(inputs, model))))
    if any(_calls(one) != _calls(found[0]) for one in found):
        raise CannotRebuild("calls other layers in training than in prediction")
    return found[0]


def _through(training: bool | None) -> Callable[..., Any]:  # noqa: FBT001
    def through(layer: Any, *args: Any, **kwargs: Any) -> Any:
        given = {"training": training, **kwargs}
        if "training" not in inspect.signature(layer.call).parameters:
            del given["training"]
        return layer.call(*args, **given)

    return through


def _opened(model: Any, through: Callable[..., Any]) -> contextlib.AbstractContextManager[None]:
    """Layers and models of the person's that have no variables but those of the layers they hold are passed through."""
    layers = model._flatten_layers()
    closed = {type(layer) for layer in layers if is_keras(type(layer)) or layer._trainable_variables}
    return replaced("__call__", dict.fromkeys({type(layer) for layer in layers} - closed, through))


def _calls(graph: Any) -> list[str]:
    return [type(operation).__name__ for operation in graph.operations]


def _order(model: Any, graph: Any) -> list[int]:
    """Which of the variables of the model each variable of the graph is."""
    places = {id(variable): i for i, variable in enumerate(model.variables)}
    return [places[id(variable)] for variable in graph.variables]


def _compare(model: Any, graph: Any, x: Sequence[np.ndarray]) -> None:
    import keras

    rows = [keras.ops.convert_to_tensor(a) for a in x]
    pairs = [keras.tree.flatten(one(arranged(rows, one), training=False)) for one in (model, graph)]
    for one, other in zip(*pairs, strict=True):
        if not np.allclose(keras.ops.convert_to_numpy(one), keras.ops.convert_to_numpy(other), rtol=TOLERANCE):
            raise CannotRebuild("computes something else than its layers")
    if len(model.losses) != len(graph.losses):
        raise CannotRebuild("adds losses of its own")
