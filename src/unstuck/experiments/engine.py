"""The batched engine: experiments that share their shapes train together in one jitted JAX program.

Jobs are grouped by structure (model, loss, optimiser class, shapes). Within a group, seeds, initial weights, settings
that are plain numbers, data and sample weights are stacked, and the whole training run, a `lax.scan` over epochs of a
`lax.scan` over batches of the model's own `train_step`, is `vmap`ped over the stack. A batch that does not fill up is
a step of its own, so epochs equal `model.fit`. A few jobs make a stack, which stays in the processor's cache, and each
core works on a stack, since a program runs its small operations one after the other. Convolutions are slow inside a
scan on CPUs; models with them are stepped from Python.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from unstuck.experiments import numbers
from unstuck.experiments.building import build, initial_weights
from unstuck.experiments.experiment import Experiment, layer_configs
from unstuck.experiments.outcome import TRAIN_ROWS, Job, Outcome
from unstuck.record.rebuild import arranged, output_of

MAX_STACK_BYTES = 2 * 2**30
"""For all stacks that are worked on at the same time."""
TOGETHER = 4
"""Jobs in a stack: an LSTM, a dense model of 512 units and a transformer all take longer with more, or hardly less."""
LITTLE_WORK = 5e8
"""Jobs x steps x rows of a batch x places of a row x parameters below which compiling takes longer than training."""


def run_batched(jobs: Sequence[Job]) -> list[Outcome]:
    """Train all jobs on JAX, in their order. Raises whatever JAX or Keras raise for a structure they refuse."""
    groups: dict[str, list[int]] = {}
    for index, job in enumerate(jobs):
        groups.setdefault(structure(job.experiment), []).append(index)
    outcomes: dict[int, Outcome] = {}
    for indices in groups.values():
        chosen = [jobs[index] for index in indices]
        outcomes.update(zip(indices, _Program(chosen[0].experiment).run(chosen), strict=True))
    return [outcomes[i] for i in range(len(jobs))]


def structure(experiment: Experiment) -> str:
    """Everything that a compiled program depends on; equal for experiments that can be stacked."""
    model, settings, values = numbers.split(experiment)
    arrays = (*experiment.x, *experiment.held_x, experiment.y, *experiment.other_y)
    return json.dumps(
        [
            model,
            settings,
            sorted(values),
            [[a.shape[1:], a.dtype.str] for a in arrays],
            len(experiment.y),
            len(experiment.held_x[0]),
            experiment.batch_size,
            experiment.epochs,
            experiment.shuffle,
            experiment.weight is None,
            experiment.rates is None,
        ],
        default=str,
        sort_keys=True,
    )


Stack = dict[str, Any]
"""What one training run starts from, as a pytree: weights, optimiser state, orders, numbers, rates, data."""


class _Program:
    """One structure, compiled once."""

    def __init__(self, experiment: Experiment) -> None:
        self.experiment = experiment
        self.model = build(experiment, 0)
        self.optimizer = self.model.optimizer
        self.optimizer.build(self.model.trainable_variables)
        if experiment.other_y:  # the means of each output's loss, which a trace would make and leave outside
            size = experiment.batch_size
            x, y = ([a[:size] for a in arrays] for arrays in (experiment.x, experiment.targets))
            self.model._symbolic_build(data_batch=(arranged(x, self.model), arranged(y)))
        self.metrics = [v.value for v in self.model.metrics_variables]
        self.stepped = any("Conv" in layer["class_name"] for layer in layer_configs(experiment.model))
        self._initial: dict[tuple[str, tuple[str, ...], int], list[np.ndarray]] = {}
        self._orders: dict[int, np.ndarray] = {}
        self._compiled: dict[str, Any] = {}

    def stacks(self, jobs: Sequence[Job], cores: int) -> list[list[Job]]:
        """The jobs in stacks of one size, so many that each core has one and few jobs are together.

        Stacks that are worked on at the same time fit into memory: data of their own, weights, and one batch of
        activations. Where they are of one compiled shape, the last one is filled up with its last job.
        """
        weights = sum(v.value.nbytes for v in (*self.model.variables, *self.optimizer.variables))
        first = jobs[0].experiment
        own = sum(a.nbytes for a in (*first.x, first.y, *first.other_y)) if len(jobs) > 1 else 0
        shared = all(job.experiment.x[0] is first.x[0] for job in jobs)
        batch = first.batch_size * sum(a[:1].nbytes for a in first.x) * 64
        orders = 4 * first.epochs * len(first.y)
        fitting = int(MAX_STACK_BYTES / cores / max(1, 3 * weights + batch + orders + (0 if shared else own)))
        number = max(-(-len(jobs) // max(1, min(TOGETHER, fitting))), min(cores, len(jobs)))
        size = -(-len(jobs) // number)
        stacks = [list(jobs[at : at + size]) for at in range(0, len(jobs), size)]
        if not self.stepped:
            stacks[-1] += [jobs[-1]] * (size - len(stacks[-1]))
        return stacks

    def run(self, jobs: Sequence[Job], cores: int | None = None) -> list[Outcome]:
        """Train all jobs, as many stacks at the same time as there are cores."""
        import jax

        cores = cores or os.cpu_count() or 1
        stacks, found, seconds = self.stacks(jobs, cores), [], 0.0
        with ThreadPoolExecutor(cores) as pool:
            for at in range(0, len(stacks), cores):
                prepared = [self._prepared(stack, of=len(jobs)) for stack in stacks[at : at + cores]]
                began = time.perf_counter()
                ended = list(pool.map(lambda train: train(), prepared))
                seconds += time.perf_counter() - began
                for arrays in ended:
                    held, train, losses, moved = jax.tree.map(np.asarray, arrays)
                    found += list(zip(held, train, losses, moved, strict=True))
        engine, each = "jax-stepped" if self.stepped else "jax-batched", seconds / len(jobs)
        return [
            Outcome(held, train, losses, self._epoch_means(losses), float(moved), engine, each)
            for held, train, losses, moved in found[: len(jobs)]
        ]

    def _prepared(self, jobs: Sequence[Job], *, of: int) -> Callable[[], Any]:
        """What trains a stack and gives what `_whole_run` does for each job, compiled for the work of so many jobs.

        Compiled already: a trace writes into the model, which threads would do at the same time.
        """
        import jax

        stack, axes = self._stacked(jobs)
        options = self._compiler_options(of)
        if self.stepped:
            return self._stepping(stack, axes, len(jobs), options)
        program = self._compile(options, jax.vmap(self._whole_run, in_axes=(axes,)), stack)
        return lambda: jax.block_until_ready(program(stack))

    def _compile(self, options: Any, function: Callable[..., Any], *arguments: Any, **of_jit: Any) -> Any:
        """`function` compiled for arguments of these shapes, once."""
        import jax

        kind = str((getattr(function, "__name__", ""), jax.tree.map(np.shape, arguments)))
        if kind not in self._compiled:
            self._compiled[kind] = jax.jit(function, **of_jit).lower(*arguments).compile(options)
        return self._compiled[kind]

    def _compiler_options(self, jobs: int) -> dict[str, int]:
        """Little work is done sooner by code that LLVM does not optimise, other work by code it optimises little."""
        parameters = sum(v.value.size for v in self.model.trainable_variables)
        places = max(int(np.prod(a.shape[1:-1])) for a in self.experiment.x)
        work = jobs * self.experiment.steps * self.experiment.batch_size * parameters * places
        return {"xla_backend_optimization_level": 0 if work < LITTLE_WORK else 1}

    def _stacked(self, jobs: Sequence[Job]) -> tuple[Stack, Stack]:
        """The arguments of all jobs, and which of them have an axis of jobs; what all jobs share is not repeated."""
        import jax
        import jax.numpy as jnp

        starts = [self._start(job) for job in jobs]
        where = {id(v): i for i, v in enumerate(self.model.variables)}
        shared: set[int] = set()

        def stacked(arrays: Sequence[Any]) -> Any:
            same = all(a is arrays[0] for a in arrays)
            array = jnp.asarray(_single(arrays[0]) if same else np.stack([_single(a) for a in arrays]))
            shared.update([id(array)] if same else [])
            return array

        def picked(variables: Sequence[Any]) -> list[Any]:
            # the dtype is the variable's: PyTorch and TensorFlow keep the states of seed generators as other integers
            return [jnp.asarray(np.stack([start[where[id(v)]] for start in starts]), v.dtype) for v in variables]

        experiments = [job.experiment for job in jobs]
        first = experiments[0]
        rates = [e.rates for e in experiments if e.rates is not None]
        values = [numbers.split(e)[2] for e in experiments]
        orders = [self._order(job.seed + job.experiment.seed_offset) for job in jobs]
        stack = {
            "trainable": picked(self.model.trainable_variables),
            "fixed": picked(self.model.non_trainable_variables),
            "optimizer": self._optimizer_state(experiments),
            "orders": stacked(orders),
            "numbers": [jnp.asarray([v[path] for v in values], "float32") for path in sorted(values[0])],
            "rates": jnp.asarray(np.stack(rates), "float32") if rates else None,
            "x": [stacked([e.x[i] for e in experiments]) for i in range(len(first.x))],
            "y": [stacked([e.targets[i] for e in experiments]) for i in range(len(first.targets))],
            "weight": None if first.weight is None else stacked([e.weight for e in experiments]),
            "held": [stacked([e.held_x[i] for e in experiments]) for i in range(len(first.held_x))],
            "metrics": self.metrics,
        }
        shared.update(map(id, self.metrics))
        return stack, jax.tree.map(lambda a: None if id(a) in shared else 0, stack)

    def _start(self, job: Job) -> list[np.ndarray]:
        seed = job.seed + job.experiment.seed_offset
        if job.experiment.initial is not None:
            return list(job.experiment.initial)
        key = (json.dumps(job.experiment.model, default=str, sort_keys=True), tuple(job.experiment.kept), seed)
        if key not in self._initial:
            self._initial[key] = initial_weights(job.experiment, seed)
        return self._initial[key]

    def _optimizer_state(self, experiments: Sequence[Experiment]) -> list[Any]:
        import jax.numpy as jnp

        rate = self._rate_index()
        state = [jnp.stack([v.value] * len(experiments)) for v in self.optimizer.variables]
        if rate is not None and experiments[0].learning_rate is not None:
            state[rate] = jnp.asarray([e.learning_rate for e in experiments], dtype=state[rate].dtype)
        return state

    def _rate_index(self) -> int | None:
        """Where the learning rate is among the optimiser's variables; None when a schedule computes it."""
        inner = getattr(self.optimizer, "inner_optimizer", self.optimizer)
        rate = getattr(inner, "_learning_rate", None)
        return next((i for i, v in enumerate(self.optimizer.variables) if v is rate), None)

    def _step(self, carry: Any, rows: Any, stack: Stack) -> Any:
        """One batch by the model's own `train_step`. carry: (trainable, fixed, optimiser); rows: (batch,)."""
        y = [a[rows] for a in stack["y"]]
        data: list[Any] = [arranged([a[rows] for a in stack["x"]], self.model), arranged(y)]
        if stack["weight"] is not None:
            data.append(stack["weight"][rows])
        paths = sorted(numbers.split(self.experiment)[2])
        with numbers.bound(self.model, dict(zip(paths, stack["numbers"], strict=True))):
            logs, after = self.model.train_step((*carry, stack["metrics"]), tuple(data))
        return tuple(after[:3]), logs["loss"]

    def _order(self, seed: int) -> np.ndarray:
        """Rows in the order of each epoch, (epochs, n). Drawn here: XLA takes longer to compile a sort than a step."""
        if seed not in self._orders:
            rows, rng = np.arange(len(self.experiment.y), dtype=np.int32), np.random.default_rng(seed)
            order = [rng.permutation(rows) if self.experiment.shuffle else rows for _ in range(self.experiment.epochs)]
            self._orders[seed] = np.stack(order)
        return self._orders[seed]

    def _begin_epoch(self, carry: Any, stack: Stack, epoch: Any) -> Any:
        rate = self._rate_index()
        if stack["rates"] is None or rate is None:
            return carry
        optimizer = list(carry[2])
        optimizer[rate] = stack["optimizer"][rate] * stack["rates"][epoch].astype(optimizer[rate].dtype)
        return carry[0], carry[1], optimizer

    def _whole_run(self, stack: Stack) -> Any:
        import jax
        import jax.numpy as jnp

        full, rest = divmod(len(self.experiment.y), self.experiment.batch_size)

        def epoch(carry: Any, number: Any) -> Any:
            order = stack["orders"][number]
            carry = self._begin_epoch(carry, stack, number)
            parts = []
            if full:
                batches = order[: full * self.experiment.batch_size].reshape(full, -1)
                carry, losses = jax.lax.scan(lambda c, rows: self._step(c, rows, stack), carry, batches)
                parts.append(losses)
            if rest:
                carry, loss = self._step(carry, order[-rest:], stack)
                parts.append(loss[None])
            return carry, jnp.concatenate(parts)

        start = (stack["trainable"], stack["fixed"], stack["optimizer"])
        carry, losses = jax.lax.scan(epoch, start, jnp.arange(self.experiment.epochs))
        return self._end(carry, stack, losses.reshape(-1))

    def _stepping(self, stack: Stack, axes: Stack, jobs: int, options: Any) -> Callable[[], Any]:
        """One job after the other: kernels with an axis of jobs take convolutions twice the time of all of them."""
        import jax
        import jax.numpy as jnp

        def of(job: int) -> tuple[Stack, Any]:
            own = jax.tree.map(lambda a, axis: a if axis is None else a[job], stack, axes)
            return own, (own["trainable"], own["fixed"], own["optimizer"])

        n, size, epochs = len(self.experiment.y), self.experiment.batch_size, range(self.experiment.epochs)
        batches = [range(at, min(at + size, n)) for at in range(0, n, size)]
        own, carry = of(0)
        begin = self._compile(options, self._begin_epoch, carry, own, 0)
        steps = {
            len(rows): self._compile(options, self._step, carry, np.asarray(rows, "int32"), own, donate_argnums=0)
            for rows in (batches[0], batches[-1])
        }
        end = self._compile(options, self._end, carry, own, jnp.zeros(len(epochs) * len(batches)))

        def run() -> Any:
            found = []
            for job in range(jobs):
                own, first = of(job)
                carry, losses, order = jax.tree.map(jnp.copy, first), [], np.asarray(own["orders"])
                for epoch in epochs:
                    carry = begin(carry, own, epoch)
                    for rows in batches:
                        carry, loss = steps[len(rows)](carry, order[epoch, rows.start : rows.stop], own)
                        losses.append(loss)
                found.append(end(carry, own, jnp.stack(losses).astype("float32")))
            return jax.block_until_ready(jax.tree.map(lambda *parts: jnp.stack(parts), *found))

        return run

    def _end(self, carry: Any, stack: Stack, losses: Any) -> Any:
        """Outputs on held-out and training rows, losses, and how far any weight moved."""
        import jax.numpy as jnp

        trainable, fixed, optimizer = carry
        moved = [jnp.abs(a - b).max() for a, b in zip(trainable, stack["trainable"], strict=True) if a.size]
        trainable = self._averaged(trainable, optimizer)

        def answers(inputs: Sequence[Any]) -> Any:
            outputs, _ = self.model.stateless_call(trainable, fixed, arranged(inputs, self.model), training=False)
            return output_of(outputs, self.experiment.judged)

        few = [a[:TRAIN_ROWS] for a in stack["x"]]
        return answers(stack["held"]), answers(few), losses, jnp.stack(moved).max() if moved else jnp.float32(0)

    def _averaged(self, trainable: Any, optimizer: Any) -> Any:
        """The moving averages of the weights where the optimiser keeps them, as `fit` ends with."""
        inner = getattr(self.optimizer, "inner_optimizer", self.optimizer)
        if not getattr(inner, "use_ema", False):
            return trainable
        where = {id(v): i for i, v in enumerate(self.optimizer.variables)}
        return [optimizer[where[id(v)]] for v in inner._model_variables_moving_average]

    def _epoch_means(self, losses: np.ndarray) -> np.ndarray:
        n, size = len(self.experiment.y), self.experiment.batch_size
        rows = np.array([min(size, n - at) for at in range(0, n, size)])
        means: np.ndarray = losses.reshape(self.experiment.epochs, -1) @ rows / n
        return means


def _single(array: np.ndarray) -> np.ndarray:
    return array.astype(np.float32) if array.dtype == np.float64 else array
