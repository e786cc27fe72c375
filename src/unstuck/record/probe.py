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
        first = given(names, [_numpy(v) for v in model.variables], snapshots[0])
    chosen = np.sort(np.random.default_rng(SEED).permutation(len(x[0]))[: _probe_rows(model, x)])
    rows, labels = tuple(a[chosen] for a in x), tuple(a[chosen] for a in targets)
    weight = fit.arrays["train-weight"][chosen] if "train-weight" in fit.arrays else None
    moments = []
    for step, values in zip(fit.steps, snapshots, strict=True):
        assign(model, values)
        moments.append({"step": step, **_moment(model, rows, labels, weight)})
    body = {
        "moments": moments,
        **_loss_reactions(model, rows, labels),
        **_moves(model, snapshots),
        "variables": names,
        "given": first,
        "evaluated_loss": _safely(lambda: _evaluate(model, x, targets, fit), np.nan),
    }

    def predict(inputs: Sequence[np.ndarray]) -> np.ndarray:
        few = arranged([a[:PREDICT_ROWS] for a in inputs], model)
        return np.asarray(output_of(model.predict(few, verbose=0, batch_size=256)))

    bad = run.arrays(f"fit-{fit.index}-non-finite")
    if bad:
        body["non_finite"] = _safely(
            lambda: locate(fit.steps, snapshots, int(fit.non_finite["step"]), bad, partial(_seen, model)), {}
        )
        assign(model, snapshots[-1])
    outputs = predict(x)
    body["metric_functions"] = _safely(
        lambda: metric_values(
            recorded["compile"], load_objects(folder, fit.index), targets[0], outputs, int(fit.body["batch_size"])
        ),
        {},
    )
    return body, {"train-outputs": outputs, "held-outputs": predict(held) if held else np.zeros((0, 1))}


def _probe_rows(model: Any, x: Sequence[np.ndarray]) -> int:
    """Rows to look at: fewer where images pass through many channels."""
    values = sum(out[:1].size for _, out in _layer_outputs(model, [a[:2] for a in x]))
    return int(np.clip(PROBE_VALUES // max(1, values), FEW_ROWS, PROBE_ROWS))


def _seen(
    model: Any, values: Sequence[np.ndarray], x: tuple[np.ndarray, ...]
) -> tuple[list[dict[str, Any]], np.ndarray]:
    """States of the layers and outputs of the model with these weights on these inputs."""
    assign(model, values)
    return _layer_states(model, x), _numpy(output_of(model(_tensors(model, x), training=False)))


def _moment(model: Any, x: Sequence[np.ndarray], y: Sequence[np.ndarray], weight: Any) -> dict[str, Any]:
    layers = _layer_states(model, x)
    penalty = _safely(lambda: float(sum(float(np.asarray(_numpy(v))) for v in model.losses)), np.nan)
    loss, gradients = _safely(lambda: _gradients(model, x, y, weight), (np.nan, None))
    variables = []
    for i, variable in enumerate(model.trainable_variables):
        value = _numpy(variable)
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
        "layers": layers,
        "variables": variables,
    }


def _layer_states(model: Any, x: Sequence[np.ndarray]) -> list[dict[str, Any]]:
    return [_layer_state(layer, out) for layer, out in _layer_outputs(model, x)]


def _layer_outputs(model: Any, x: Sequence[np.ndarray]) -> list[tuple[Any, np.ndarray]]:
    """Outputs of every layer in one forward pass in inference mode, by watching `call` of each layer instance."""
    from unstuck.record.describe import leaf_layers

    seen: list[tuple[Any, np.ndarray]] = []
    originals = []

    def watch(layer: Any) -> None:
        original = layer.call

        def call(*args: Any, **kwargs: Any) -> Any:
            out = original(*args, **kwargs)
            if hasattr(out, "shape") and len(out.shape) >= 2:
                seen.append((layer, _numpy(out)))
            return out

        originals.append((layer, original))
        object.__setattr__(layer, "call", call)

    for layer in leaf_layers(model):
        _safely(lambda layer=layer: watch(layer), None)  # type: ignore[misc]
    try:
        model(_tensors(model, x), training=False)
    except Exception:
        return []
    finally:
        for layer, _ in originals:
            _safely(lambda layer=layer: object.__delattr__(layer, "call"), None)  # type: ignore[misc]
    return seen


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


def _gradients(model: Any, x: Sequence[np.ndarray], y: Sequence[np.ndarray], weight: Any) -> tuple[float, list[Any]]:
    """Total loss in training mode and its gradient for each trainable variable, on the backend in use."""
    import keras

    backend = keras.backend.backend()
    inputs, target = _tensors(model, x), arranged([keras.ops.convert_to_tensor(a) for a in y])
    weights = None if weight is None else keras.ops.convert_to_tensor(weight)
    if backend == "jax":
        return _jax_gradients(model, inputs, target, weights)
    if backend == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            loss = _native_loss(model, inputs, target, weights)
        found = tape.gradient(loss, [v.value for v in model.trainable_variables])
        return float(_numpy(loss)), [None if g is None else _numpy(tf.convert_to_tensor(g)) for g in found]
    import torch

    loss = _native_loss(model, inputs, target, weights)
    found = torch.autograd.grad(loss, [v.value for v in model.trainable_variables], allow_unused=True)
    return float(_numpy(loss)), [None if g is None else _numpy(g) for g in found]


def _native_loss(model: Any, inputs: Any, target: Any, weights: Any) -> Any:
    return model.compute_loss(inputs, target, model(inputs, training=True), weights, training=True)


def _jax_gradients(model: Any, inputs: Any, target: Any, weights: Any) -> tuple[float, list[Any]]:
    import jax

    fixed = [v.value for v in model.non_trainable_variables]
    metrics = [v.value for v in model.metrics_variables]

    def loss_of(trainable: Any) -> Any:
        outputs, after = model.stateless_call(trainable, fixed, inputs, training=True)
        loss, _ = model.stateless_compute_loss(
            trainable,
            after,
            metrics,
            x=inputs,
            y=target,
            y_pred=outputs,
            sample_weight=weights,
            training=True,
        )
        return loss

    loss, found = jax.value_and_grad(loss_of)([v.value for v in model.trainable_variables])
    return float(loss), [np.asarray(g) for g in found]


def _loss_reactions(model: Any, x: Sequence[np.ndarray], targets: Sequence[np.ndarray]) -> dict[str, Any]:
    """How the compiled loss reacts to other outputs, other labels, and its gradient for the outputs.

    Not measured where a model has several outputs.
    """
    unknown = {"loss_change": np.nan, "label_change": np.nan, "gradient_zero": False}
    if len(targets) > 1:
        return unknown
    rng, y = np.random.default_rng(SEED), targets[0]
    outputs = np.asarray(model.predict(arranged(list(x), model), verbose=0, batch_size=256))

    def loss(target: np.ndarray, answer: np.ndarray) -> float:
        import keras

        found = model.compute_loss(None, keras.ops.convert_to_tensor(target), keras.ops.convert_to_tensor(answer), None)
        return float(_numpy(found))

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

    zero = _safely(lambda: _output_gradient_zero(model, y, outputs), False)
    return {**unknown, **_safely(changes, {}), "gradient_zero": zero}


def _output_gradient_zero(model: Any, y: np.ndarray, outputs: np.ndarray) -> bool:
    import keras

    backend = keras.backend.backend()
    target = keras.ops.convert_to_tensor(y)
    if backend == "jax":
        import jax

        gradient = jax.grad(lambda p: model.compute_loss(None, target, p, None))(jax.numpy.asarray(outputs))
    elif backend == "tensorflow":
        import tensorflow as tf

        answer = tf.convert_to_tensor(outputs)
        with tf.GradientTape() as tape:
            tape.watch(answer)
            value = model.compute_loss(None, target, answer, None)
        gradient = tape.gradient(value, answer)
    else:
        import torch

        answer = torch.tensor(outputs, requires_grad=True)
        value = model.compute_loss(None, target, answer, None)
        gradient = torch.autograd.grad(value, answer, allow_unused=True)[0] if value.requires_grad else None
    return gradient is None or bool((_numpy(gradient) == 0).all())


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


def _numpy(value: Any) -> np.ndarray:
    import keras

    return np.asarray(keras.ops.convert_to_numpy(value))


def _rms(value: Any) -> float:
    array = np.asarray(value, dtype=np.float64)
    return float(np.sqrt((array**2).mean())) if array.size else 0.0


def _safely(action: Callable[[], Any], otherwise: Any) -> Any:
    try:
        return action()
    except Exception:
        return otherwise
