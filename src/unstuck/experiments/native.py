"""Training by `model.fit` on the process's own backend, for what JAX cannot rebuild or does otherwise."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from unstuck.experiments import numbers
from unstuck.experiments.building import build, initial_weights
from unstuck.experiments.engine import structure
from unstuck.experiments.experiment import Experiment
from unstuck.experiments.outcome import TRAIN_ROWS, Job, Outcome
from unstuck.record.rebuild import arranged, output_of
from unstuck.record.unaverage import RunningMean


def run_native(jobs: Sequence[Job]) -> list[Outcome]:
    """Train each job, in order. Jobs of one structure use the same model object, so that it compiles once."""
    models: dict[str, tuple[Any, list[np.ndarray]]] = {}
    outcomes = []
    for job in jobs:
        kind = structure(job.experiment) + str(numbers.split(job.experiment)[2])
        if kind not in models:
            model = build(job.experiment, 0)
            model.optimizer.build(model.trainable_variables)
            models[kind] = model, [_array(v) for v in model.optimizer.variables]
        outcomes.append(_fit(*models[kind], job))
    return outcomes


def _fit(model: Any, optimizer: Sequence[np.ndarray], job: Job) -> Outcome:
    import keras

    experiment, seed = job.experiment, job.seed + job.experiment.seed_offset
    start = initial_weights(experiment, seed)
    for variables, values in ((model.variables, start), (model.optimizer.variables, optimizer)):
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
    if experiment.learning_rate is not None:
        model.optimizer.learning_rate = experiment.learning_rate
    keras.utils.set_random_seed(seed)
    before = [_array(v) for v in model.trainable_variables]
    seen, began = _Losses(experiment), time.perf_counter()
    model.fit(
        arranged(list(experiment.x), model),
        arranged(list(experiment.targets)),
        batch_size=experiment.batch_size,
        epochs=experiment.epochs,
        shuffle=experiment.shuffle,
        sample_weight=experiment.weight,
        callbacks=[seen.callback()],
        verbose=0,
    )
    seconds = time.perf_counter() - began
    after = [_array(v) for v in model.trainable_variables]
    moved = max((float(np.abs(b - a).max(initial=0.0)) for a, b in zip(before, after, strict=True)), default=0.0)

    def answers(inputs: Sequence[np.ndarray]) -> np.ndarray:
        return np.asarray(output_of(model.predict(arranged(list(inputs), model), verbose=0), experiment.judged))

    return Outcome(
        answers(experiment.held_x),
        answers([a[:TRAIN_ROWS] for a in experiment.x]),
        np.asarray(seen.steps),
        np.asarray(seen.epochs),
        moved,
        f"native {keras.backend.backend()}",
        seconds,
    )


class _Losses:
    """The loss of each step and epoch of a fit, and the rate of each epoch set as the experiment has it."""

    def __init__(self, experiment: Experiment) -> None:
        self._experiment = experiment
        self._mean = RunningMean()
        self.steps: list[float] = []
        self.epochs: list[float] = []

    def callback(self) -> Any:
        import keras

        callback: Any = keras.callbacks.LambdaCallback(
            on_epoch_begin=lambda epoch, logs: self._begin(callback.model, epoch),
            on_train_batch_end=self._step,
            on_epoch_end=lambda epoch, logs: self.epochs.append(float(logs["loss"])),
        )
        return callback

    def _begin(self, model: Any, epoch: int) -> None:
        self._mean.reset()
        rates, rate = self._experiment.rates, self._experiment.learning_rate
        if rates is not None and rate is not None:
            model.optimizer.learning_rate = rate * float(rates[epoch])

    def _step(self, batch: int, logs: Any) -> None:
        n, size = len(self._experiment.y), self._experiment.batch_size
        self.steps.append(self._mean.added(float(logs["loss"]), min(size, n - batch * size)))


def _array(variable: Any) -> np.ndarray:
    import keras

    return np.array(keras.ops.convert_to_numpy(variable))
