"""Replay: the recorded snapshots run again on recorded rows, on the person's backend, in a process of its own.

Layer outputs, gradients of every variable, the loss split into data and penalty, predictions, `evaluate`, and how the
loss reacts to other outputs and other labels. The training process itself is never probed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from unstuck.record.given import given, keys
from unstuck.record.passes import Passes, as_numpy
from unstuck.record.probe_metrics import metric_values
from unstuck.record.probe_non_finite import locate
from unstuck.record.rebuild import CannotRebuild, arranged, assign, load_objects, output_of, rebuild
from unstuck.record.recorded import RecordedFit, RecordedRun, numbered, read_run
from unstuck.record.store import Writer
from unstuck.record.unfold import unfold

PROBE_ROWS, FEW_ROWS = 256, 64
PROBE_VALUES = 2**25
"""Outputs of all layers together that a moment looks at, from `FEW_ROWS` to `PROBE_ROWS` rows of them."""
STATE_VALUES = 2**21
"""Outputs of a layer that its state is told from; of more, the places of images and sequences are drawn."""
PREDICT_ROWS = 4_000
SEED = 3
SATURATED = 0.01


def probe_fit(folder: Path, number: int, held: tuple[np.ndarray, ...] = ()) -> str:
    """Replay one fit and write what was seen into the run folder. Returns "" or why it could not be done.

    Args:
        folder: the run folder.
        number: index of the fit.
        held: held-out inputs to predict, one array an input; none when nothing was held out.
    """
    run = read_run(folder)
    if unfold(folder, run.fits[number]):
        run = read_run(folder)
    try:
        body, arrays = _replay(run, run.fits[number], held)
    except CannotRebuild as error:
        body, arrays = {"error": str(error)}, {}
    writer = Writer(folder)
    if arrays:
        writer.arrays(f"fit-{number}-probe", arrays)
    writer.event("probe", body, fit=number)
    return str(body.get("error", ""))


def _replay(
    run: RecordedRun, fit: RecordedFit, held: tuple[np.ndarray, ...]
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    import keras

    folder = run.folder
    x, targets = numbered(fit.arrays, "train-x"), numbered(fit.arrays, "train-y")
    if not x or not targets or not fit.steps:
        raise CannotRebuild("no rows or no weights were recorded")
    keras.utils.set_random_seed(SEED)
    recorded = fit.body["model"]
    model = rebuild(recorded["config"], recorded["compile"], load_objects(folder, fit.index), x, fit.input_names)
    snapshots = [run.weights(fit, step) for step in fit.steps]
    if not snapshots[-1]:
        raise CannotRebuild("the model was never built")
    names, first = keys(model.variables), None
    if fit.steps[0] == 0:  # before anything is assigned: the variables still hold what their initialisers drew
        first = given(names, [as_numpy(v) for v in model.variables], snapshots[0])
    passes = Passes(model)
    chosen = np.sort(np.random.default_rng(SEED).permutation(len(x[0]))[: _probe_rows(passes, model, x)])
    rows, labels = tuple(a[chosen] for a in x), tuple(a[chosen] for a in targets)
    weight = fit.arrays["train-weight"][chosen] if "train-weight" in fit.arrays else None
    moments = []
    for step, values in zip(fit.steps, snapshots, strict=True):
        assign(model, values)
        moments.append({"step": step, **_moment(passes, model, rows, labels, weight)})
    body = {
        "moments": moments,
        **_loss_reactions(passes, model, rows, labels),
        **_moves(model, snapshots),
        "variables": names,
        "given": first,
        "evaluated_loss": _safely(lambda: _evaluate(model, x, targets, fit), np.nan),
    }

    def predict(inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
        few = arranged([a[:PREDICT_ROWS] for a in inputs], model)
        answers = model.predict(few, verbose=0, batch_size=256)
        several = isinstance(answers, (dict, list, tuple))
        count = min(len(answers), max(1, len(targets))) if several else 1
        return [np.asarray(output_of(answers, i)) for i in range(count)]

    bad = run.arrays(f"fit-{fit.index}-non-finite")
    if bad:
        body["non_finite"] = _safely(
            lambda: locate(fit.steps, snapshots, int(fit.non_finite["step"]), bad, partial(_seen, passes, model)), {}
        )
        assign(model, snapshots[-1])
    outputs, held_outputs = predict(x), predict(held) if held else [np.zeros((0, 1))]
    body["metric_functions"] = _safely(
        lambda: metric_values(
            recorded["compile"], load_objects(folder, fit.index), targets[0], outputs[0], int(fit.body["batch_size"])
        ),
        {},
    )
    named = (("train-outputs", outputs), ("held-outputs", held_outputs))
    return body, {f"{name}-{i}" if i else name: a for name, found in named for i, a in enumerate(found)}


def _probe_rows(passes: Passes, model: Any, x: Sequence[np.ndarray]) -> int:
    """Rows to look at: fewer where images pass through many channels."""
    values = passes.values_a_row(_tensors(model, [a[:2] for a in x]))
    return int(np.clip(PROBE_VALUES // max(1, values), FEW_ROWS, PROBE_ROWS))


def _seen(
    passes: Passes, model: Any, values: Sequence[np.ndarray], x: tuple[np.ndarray, ...]
) -> tuple[list[dict[str, Any]], np.ndarray]:
    """States of the layers and outputs of the model with these weights on these inputs."""
    assign(model, values)
    inputs = _tensors(model, x)
    states = [_layer_state(layer, out) for layer, out in passes.forward(inputs)[0]]
    return states, as_numpy(output_of(model(inputs, training=False)))


def _moment(
    passes: Passes, model: Any, x: Sequence[np.ndarray], y: Sequence[np.ndarray], weight: Any
) -> dict[str, Any]:
    import keras

    inputs, target = _tensors(model, x), arranged([keras.ops.convert_to_tensor(a) for a in y])
    weights = None if weight is None else keras.ops.convert_to_tensor(weight)
    outputs, penalty = passes.forward(inputs)
    loss, gradients = _safely(lambda: passes.gradients(inputs, target, weights), (np.nan, None))
    variables = []
    for i, variable in enumerate(model.trainable_variables):
        value = as_numpy(variable)
        gradient = None if gradients is None else gradients[i]
        variables.append(
            {
                "path": variable.path,
                "gradient": np.nan if gradients is None else 0.0 if gradient is None else _rms(gradient),
                "value": _rms(value),
                "finite": bool(np.isfinite(value).all()),
            }
        )
    return {
        "loss": loss - (penalty if np.isfinite(penalty) else 0.0),
        "penalty": penalty,
        "layers": [_layer_state(layer, out) for layer, out in outputs],
        "variables": variables,
    }


def _layer_state(layer: Any, out: np.ndarray) -> dict[str, Any]:
    activation = getattr(getattr(layer, "activation", None), "__name__", None) or type(layer).__name__.lower()
    units = out.reshape(-1, out.shape[-1])
    if out.ndim > 2 and units.size > STATE_VALUES:
        places = max(FEW_ROWS, STATE_VALUES // units.shape[1])
        units = units[np.random.default_rng(SEED).integers(0, len(units), places)]
    units = units.astype(np.float64)
    finite = np.isfinite(units)
    good = np.where(finite, units, 0.0)
    low, high = {"sigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0), "hard_sigmoid": (0.0, 1.0)}.get(
        activation, (np.nan, np.nan)
    )
    near = (high - low) * SATURATED
    saturated = float(((good <= low + near) | (good >= high - near)).mean()) if np.isfinite(low) else 0.0
    return {
        "name": layer.name,
        "activation": activation,
        "minimum": good.min(),
        "maximum": good.max(),
        "std": float(good.std(axis=0).mean()),
        "dead_share": float((good == 0).all(axis=0).mean()),
        "saturated_share": saturated,
        "constant_share": float((np.ptp(good, axis=0) <= 1e-7 * np.maximum(1e-12, np.abs(good).max(axis=0))).mean()),
        "finite": bool(np.isfinite(out).all()),
    }


def _loss_reactions(
    passes: Passes, model: Any, x: Sequence[np.ndarray], targets: Sequence[np.ndarray]
) -> dict[str, Any]:
    """How the compiled loss reacts to other outputs, other labels, and its gradient for the outputs.

    Not measured where a model has several outputs.
    """
    from keras import ops

    unknown = {"loss_change": np.nan, "label_change": np.nan, "gradient_zero": False}
    if len(targets) > 1:
        return unknown
    rng, y = np.random.default_rng(SEED), targets[0]
    outputs = np.asarray(model.predict(arranged(list(x), model), verbose=0, batch_size=256))
    inputs = arranged([ops.convert_to_tensor(part) for part in x], model)

    def loss(target: np.ndarray, answer: np.ndarray) -> float:
        return passes.loss(inputs, ops.convert_to_tensor(target), ops.convert_to_tensor(answer))

    def changes() -> dict[str, Any]:
        base = loss(y, outputs)
        scale = max(abs(base), 1e-6)
        others = [
            outputs * 0.9 + 0.05,
            rng.uniform(0.05, 0.95, outputs.shape).astype(outputs.dtype),
            outputs + 1,
        ]
        return {
            "loss_change": max(abs(loss(y, other) - base) for other in others) / scale,
            "label_change": abs(loss(y[rng.permutation(len(y))], outputs) - base) / scale,
        }

    def zero() -> bool:
        gradient = passes.gradient_of_answers(inputs, ops.convert_to_tensor(y), ops.convert_to_tensor(outputs))
        return gradient is None or bool((gradient == 0).all())

    return {**unknown, **_safely(changes, {}), "gradient_zero": _safely(zero, False)}


def _moves(model: Any, snapshots: Sequence[Sequence[np.ndarray]]) -> dict[str, Any]:
    moved, relative = {}, {}
    for i, variable in enumerate(model.variables):
        if variable.trainable and not variable.path.startswith("seed_generator"):
            first, last = snapshots[0][i].astype(np.float64), snapshots[-1][i].astype(np.float64)
            moved[variable.path] = float(np.abs(last - first).max(initial=0.0))
            size = _rms(first)
            relative[variable.path] = _rms(last - first) / size if size > 0 else None
    return {"moved": moved, "relative_moves": relative}


def _evaluate(model: Any, x: Sequence[np.ndarray], y: Sequence[np.ndarray], fit: RecordedFit) -> float:
    weight = fit.arrays.get("train-weight")
    result = model.evaluate(
        arranged([a[:PREDICT_ROWS] for a in x], model),
        arranged([a[:PREDICT_ROWS] for a in y]),
        sample_weight=None if weight is None else weight[:PREDICT_ROWS],
        batch_size=256,
        verbose=0,
        return_dict=True,
    )
    return float(result["loss"])


def _tensors(model: Any, x: Sequence[np.ndarray]) -> Any:
    import keras

    typed = [a if a.dtype.kind != "f" else a.astype(np.float32) for a in x]
    return arranged([keras.ops.convert_to_tensor(a) for a in typed], model)


def _rms(value: Any) -> float:
    array = np.asarray(value, dtype=np.float64)
    return float(np.sqrt((array**2).mean())) if array.size else 0.0


def _safely(action: Callable[[], Any], otherwise: Any) -> Any:
    try:
        return action()
    except Exception:
        return otherwise
