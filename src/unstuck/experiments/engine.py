"""The batched engine: experiments that share their shapes train together in one jitted JAX program.

Jobs are grouped by structure (model, loss, optimiser class, shapes). Within a group, seeds, initial weights, learning
rates, data and sample weights are stacked and the whole training run, a `lax.scan` over epochs of a `lax.scan` over
batches, is `vmap`ped over the stack. A batch that does not fill up is a step of its own, so epochs equal `model.fit`.
Convolutions are slow inside a scan on CPUs; models with them are stepped from Python by a jitted, vmapped step.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from unstuck.experiments.experiment import Experiment, layer_configs, optimizer_config
from unstuck.experiments.outcome import TRAIN_ROWS, Job, Outcome
from unstuck.record import custom
from unstuck.record.rebuild import arranged, rebuild

MAX_STACK_BYTES = 2 * 2**30


def run_batched(jobs: Sequence[Job]) -> list[Outcome]:
    """Train all jobs on JAX, in their order. Raises whatever JAX or Keras raise for a structure they refuse."""
    groups: dict[str, list[int]] = {}
    for index, job in enumerate(jobs):
        groups.setdefault(structure(job.experiment), []).append(index)
    outcomes: dict[int, Outcome] = {}
    for indices in groups.values():
        for chunk in _chunks(indices, jobs):
            found = _Program(jobs[chunk[0]].experiment).run([jobs[i] for i in chunk])
            outcomes.update(zip(chunk, found, strict=True))
    return [outcomes[i] for i in range(len(jobs))]


def structure(experiment: Experiment) -> str:
    """Everything that a compiled program depends on; equal for experiments that can be stacked."""
    settings = experiment.with_compile()[1]
    if experiment.learning_rate is not None:
        optimizer_config(settings)["learning_rate"] = 0.0
    shapes = [[a.shape[1:], a.dtype.str] for a in (*experiment.x, *experiment.held_x, experiment.y)]
    return json.dumps(
        [
            experiment.model,
            settings,
            shapes,
            len(experiment.y),
            len(experiment.held_x[0]),
            experiment.batch_size,
            experiment.epochs,
            experiment.shuffle,
            experiment.weight is None,
        ],
        default=str,
        sort_keys=True,
    )


def load_custom(experiment: Experiment) -> dict[str, Any]:
    if not experiment.custom:
        return {}
    loaded = custom.load(Path(experiment.custom[0]), experiment.custom[1])
    return loaded if isinstance(loaded, dict) else {}


def build(experiment: Experiment, seed: int) -> Any:
    """A freshly initialised, compiled model of the experiment."""
    import keras

    keras.utils.set_random_seed(seed)
    settings = experiment.with_compile()[1]
    if experiment.learning_rate is not None:
        optimizer_config(settings)["learning_rate"] = experiment.learning_rate
    return rebuild(experiment.model, settings, load_custom(experiment), experiment.x)


def _chunks(indices: Sequence[int], jobs: Sequence[Job]) -> list[list[int]]:
    first = jobs[indices[0]].experiment
    own = sum(a.nbytes for a in first.x) + first.y.nbytes
    size = max(1, int(MAX_STACK_BYTES / max(1, 4 * own)))
    return [list(indices[i : i + size]) for i in range(0, len(indices), size)]


class _Program:
    """One structure, compiled once."""

    def __init__(self, experiment: Experiment) -> None:
        self.experiment = experiment
        self.model = build(experiment, 0)
        self.optimizer = self.model.optimizer
        self.optimizer.build(self.model.trainable_variables)
        self.stepped = any("Conv" in layer["class_name"] for layer in layer_configs(experiment.model))
        self._initial: dict[int, list[np.ndarray]] = {}

    def run(self, jobs: Sequence[Job]) -> list[Outcome]:
        import jax
        import jax.numpy as jnp

        starts = [self._start(job) for job in jobs]
        variables = self.model.variables
        where = {id(v): i for i, v in enumerate(variables)}

        def pick(group: Sequence[Any]) -> list[Any]:
            return [jnp.asarray(np.stack([start[where[id(v)]] for start in starts])) for v in group]

        trainable, fixed = pick(self.model.trainable_variables), pick(self.model.non_trainable_variables)
        optimizer = self._optimizer_state(jobs)
        keys = jax.vmap(jax.random.key)(jnp.asarray([j.seed + j.experiment.seed_offset for j in jobs]))
        x = [_stack([j.experiment.x[i] for j in jobs]) for i in range(len(self.experiment.x))]
        y = _stack([j.experiment.y for j in jobs])
        held = [_stack([j.experiment.held_x[i] for j in jobs]) for i in range(len(self.experiment.held_x))]
        weight = _stack(
            [
                np.ones(1, np.float32) if j.experiment.weight is None else j.experiment.weight.astype(np.float32)
                for j in jobs
            ]
        )
        train = self._stepped if self.stepped else self._scanned
        after, curve = train((trainable, fixed, optimizer), keys, x, y, weight)
        outputs = self._predict(after, held, x)
        moved = [
            max(
                (
                    float(np.abs(np.asarray(a[i]) - np.asarray(b[i])).max(initial=0.0))
                    for a, b in zip(after[0], trainable, strict=True)
                ),
                default=0.0,
            )
            for i in range(len(jobs))
        ]
        engine = "jax-stepped" if self.stepped else "jax-batched"
        return [Outcome(outputs[0][i], outputs[1][i], np.asarray(curve[i]), moved[i], engine) for i in range(len(jobs))]

    def _start(self, job: Job) -> Sequence[np.ndarray]:
        given = job.experiment.initial
        if given is not None:
            return given
        seed = job.seed + job.experiment.seed_offset
        if seed not in self._initial:
            self._initial[seed] = [np.asarray(v.value) for v in build(self.experiment, seed).variables]
        return self._initial[seed]

    def _optimizer_state(self, jobs: Sequence[Job]) -> list[Any]:
        import jax.numpy as jnp

        inner = getattr(self.optimizer, "inner_optimizer", self.optimizer)
        rate = getattr(inner, "_learning_rate", None)
        state = []
        for variable in self.optimizer.variables:
            if rate is not None and variable is rate and jobs[0].experiment.learning_rate is not None:
                state.append(jnp.asarray([j.experiment.learning_rate for j in jobs], dtype=variable.dtype))
            else:
                state.append(jnp.stack([variable.value] * len(jobs)))
        return state

    def _step(self) -> Callable[..., Any]:
        import jax

        model, optimizer = self.model, self.optimizer
        metrics = [v.value for v in model.metrics_variables]
        weighted = self.experiment.weight is not None

        def loss_of(trainable: Any, fixed: Any, x: Any, y: Any, weight: Any) -> Any:
            outputs, fixed = model.stateless_call(trainable, fixed, arranged(x), training=True)
            loss, (trainable, fixed, _) = model.stateless_compute_loss(
                trainable,
                fixed,
                metrics,
                x=arranged(x),
                y=y,
                y_pred=outputs,
                sample_weight=weight if weighted else None,
                training=True,
            )
            return loss, fixed

        gradient = jax.value_and_grad(loss_of, has_aux=True)

        def step(carry: Any, rows: Any, x: Any, y: Any, weight: Any) -> Any:
            trainable, fixed, state = carry
            chosen = weight[rows] if weighted else None
            (loss, fixed), found = gradient(trainable, fixed, [a[rows] for a in x], y[rows], chosen)
            trainable, state = optimizer.stateless_apply(state, found, trainable)
            return (trainable, fixed, state), loss

        return step

    def _orders(self, key: Any, epoch: Any) -> Any:
        import jax

        n = len(self.experiment.y)
        if not self.experiment.shuffle:
            return jax.numpy.arange(n)
        return jax.random.permutation(jax.random.fold_in(key, epoch), n)

    def _scanned(self, carry: Any, keys: Any, x: Any, y: Any, weight: Any) -> Any:
        import jax
        import jax.numpy as jnp

        n, size = len(self.experiment.y), self.experiment.batch_size
        full, rest = divmod(n, size)
        step = self._step()

        def train(carry: Any, key: Any, x: Any, y: Any, weight: Any) -> Any:
            def epoch(carry: Any, number: Any) -> Any:
                order = self._orders(key, number)
                total = jnp.float32(0)
                if full:
                    batches = order[: full * size].reshape(full, size)
                    carry, losses = jax.lax.scan(lambda c, rows: step(c, rows, x, y, weight), carry, batches)
                    total += losses.sum() * size
                if rest:
                    carry, loss = step(carry, order[full * size :], x, y, weight)
                    total += loss * rest
                return carry, total / n

            return jax.lax.scan(epoch, carry, jnp.arange(self.experiment.epochs))

        axes = [0 if a[1] else None for a in x]
        mapped = jax.vmap(train, in_axes=(0, 0, axes, 0 if y[1] else None, 0 if weight[1] else None))
        return jax.jit(mapped)(carry, keys, [a[0] for a in x], y[0], weight[0])

    def _stepped(self, carry: Any, keys: Any, x: Any, y: Any, weight: Any) -> Any:
        import jax
        import jax.numpy as jnp

        n, size = len(self.experiment.y), self.experiment.batch_size
        axes = [0 if a[1] else None for a in x]
        step = jax.jit(
            jax.vmap(self._step(), in_axes=(0, 0, axes, 0 if y[1] else None, 0 if weight[1] else None)),
            donate_argnums=0,
        )
        order_of = jax.jit(jax.vmap(self._orders, in_axes=(0, None)))
        carry, curve = jax.tree.map(jnp.copy, carry), []
        for epoch in range(self.experiment.epochs):
            order = order_of(keys, epoch) if self.experiment.shuffle else jnp.tile(jnp.arange(n), (len(keys), 1))
            total = jnp.zeros(len(keys))
            for begin in range(0, n, size):
                rows = order[:, begin : begin + size]
                carry, loss = step(carry, rows, [a[0] for a in x], y[0], weight[0])
                total += loss * rows.shape[1]
            curve.append(total / n)
        return carry, jnp.stack(curve, axis=1)

    def _predict(self, carry: Any, held: Any, x: Any) -> tuple[np.ndarray, np.ndarray]:
        import jax

        model = self.model

        def predict(trainable: Any, fixed: Any, inputs: Any) -> Any:
            return model.stateless_call(trainable, fixed, arranged(inputs), training=False)[0]

        def on(inputs: Any) -> np.ndarray:
            axes = [0 if a[1] else None for a in inputs]
            mapped = jax.jit(jax.vmap(predict, in_axes=(0, 0, axes)))
            return np.asarray(mapped(carry[0], carry[1], [a[0] for a in inputs]))

        few = [(a[0][:, :TRAIN_ROWS] if a[1] else a[0][:TRAIN_ROWS], a[1]) for a in x]
        return on(held), on(few)


def _stack(arrays: Sequence[np.ndarray]) -> tuple[Any, bool]:
    """One shared array where all jobs use the same, else stacked; and whether it is stacked."""
    import jax.numpy as jnp

    def cast(array: np.ndarray) -> np.ndarray:
        return array.astype(np.float32) if array.dtype == np.float64 else array

    if all(a is arrays[0] for a in arrays):
        return jnp.asarray(cast(arrays[0])), False
    return jnp.asarray(np.stack([cast(a) for a in arrays])), True


def run_native(jobs: Sequence[Job]) -> list[Outcome]:
    """Train each job by `model.fit` on this process's backend; for what JAX cannot rebuild or does otherwise."""
    return [_fit(job) for job in jobs]


def _fit(job: Job) -> Outcome:
    import keras

    experiment = job.experiment
    seed = job.seed + experiment.seed_offset
    model = build(experiment, seed)
    if experiment.initial is not None:
        for variable, value in zip(model.variables, experiment.initial, strict=True):
            variable.assign(value)
    before = [np.asarray(keras.ops.convert_to_numpy(v)) for v in model.trainable_variables]
    history = model.fit(
        arranged(list(experiment.x)),
        experiment.y,
        batch_size=experiment.batch_size,
        epochs=experiment.epochs,
        shuffle=experiment.shuffle,
        sample_weight=experiment.weight,
        verbose=0,
    )
    after = [np.asarray(keras.ops.convert_to_numpy(v)) for v in model.trainable_variables]
    moved = max((float(np.abs(b - a).max(initial=0.0)) for a, b in zip(before, after, strict=True)), default=0.0)

    def predict(inputs: Sequence[np.ndarray]) -> np.ndarray:
        return np.asarray(model.predict(arranged(list(inputs)), verbose=0))

    return Outcome(
        predict(experiment.held_x),
        predict([a[:TRAIN_ROWS] for a in experiment.x]),
        np.asarray(history.history["loss"]),
        moved,
        f"native {keras.backend.backend()}",
    )
