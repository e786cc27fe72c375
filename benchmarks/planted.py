"""Small experiments that work, and faults planted into them: does the engine convict the right change, and no other?

A subject is a data set drawn from a seed and a network of random shape that learns it. Irrelevant changes must not be
confirmed; the change that takes a planted fault out must be; of two planted faults both changes must be found needed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np

from benchmarks.row import Row, row
from unstuck.experiments.bench import Bench
from unstuck.experiments.combination import combine
from unstuck.experiments.experiment import Experiment, layer_configs, optimizer_config
from unstuck.experiments.intervention import Intervention
from unstuck.experiments.interventions.batch_size import SetBatchSize
from unstuck.experiments.interventions.clipping import RemoveClipping
from unstuck.experiments.interventions.dropout import SetDropout
from unstuck.experiments.interventions.epochs import ScaleEpochs
from unstuck.experiments.interventions.initialise import Reinitialise
from unstuck.experiments.interventions.learning_rate import ScaleLearningRate
from unstuck.experiments.interventions.optimiser import SetClipNorm, SetMomentum
from unstuck.experiments.interventions.penalty import RemovePenalty
from unstuck.experiments.interventions.realign import RealignLabels
from unstuck.experiments.interventions.standardise import StandardiseInputs
from unstuck.experiments.pool import Pool
from unstuck.experiments.trial import Arm, run_trials
from unstuck.experiments.worker import Worker
from unstuck.measure.task import Task

HEALTHY, SINGLES, PAIRS = 200, 40, 20
ROWS, HELD = 300, 200
LEARNT = 0.5
"""Held-out skill from which on a subject counts as one that works; half of it, and it counts as broken."""
SEEDS = 3
WORKERS = Pool(lambda: Worker("jax"))


@dataclass(frozen=True)
class Subject:
    """An experiment with the labels it is scored by."""

    base: Experiment
    task: Task

    def bench(self, base: Experiment | None = None) -> Bench:
        return Bench(base or self.base, self.task, self.task.y, self.task.held_y, WORKERS, time.monotonic() + 600)

    def skill(self, base: Experiment) -> float:
        """Mean held-out skill over the seeds."""
        bench = self.bench(base)
        bench.run([None], range(SEEDS))
        return float(np.mean(bench.store["as written"].held or [-1.0]))


@dataclass(frozen=True)
class Fault:
    """Something planted, and the change that takes it out."""

    name: str
    plant: Callable[[Experiment], Experiment]
    cure: Intervention


def subject(number: int) -> Subject:
    """The subject of this number: same number, same data and network."""
    import keras

    rng = np.random.default_rng([11, number])
    features, shape = int(rng.choice([6, 12])), number % 6
    x = rng.normal(size=(ROWS + HELD, features)).astype("float32")
    signal = x @ rng.normal(size=features) + 0.5 * x[:, 0] * x[:, 1] + rng.normal(scale=0.5, size=len(x))
    y = (signal > np.median(signal)).astype("float32")
    keras.utils.set_random_seed(number)
    units, layers, activation = (16, 32, 24)[shape % 3], 1 + shape % 2, ("relu", "tanh")[shape // 3]
    hidden = [
        layer
        for _ in range(layers)
        for layer in (keras.layers.Dense(units, activation=activation, kernel_regularizer=keras.regularizers.L2(1e-6)),
                      keras.layers.Dropout(0.05))
    ]  # fmt: skip
    model = keras.Sequential([keras.Input((features,)), *hidden, keras.layers.Dense(1, activation="sigmoid")])
    model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy")
    base = Experiment(
        model=keras.saving.serialize_keras_object(model),
        compile=model.get_compile_config(),
        x=(x[:ROWS],),
        y=y[:ROWS],
        held_x=(x[ROWS:],),
        batch_size=32,
        epochs=15,
        learning_rate=0.01,
    )
    labels = y.astype(int)
    share = labels[:ROWS].mean()
    return Subject(base, Task("binary", 2, labels[:ROWS], labels[ROWS:], np.array([1 - share, share])))


def irrelevant(number: int) -> Intervention:
    """A change that makes no difference worth mentioning to a subject that works."""
    choices: tuple[Intervention, ...] = (
        ScaleLearningRate(0.9),
        ScaleLearningRate(1.1),
        SetDropout(0.06),
        SetDropout(0.04),
        RemovePenalty(),
        Reinitialise("glorot_normal"),
        Reinitialise("he_uniform"),
        SetClipNorm(100.0),
        SetMomentum(0.89),
        SetBatchSize(30),
        ScaleEpochs(1.07),
        StandardiseInputs(),
    )
    return choices[number % len(choices)]


def _with_layers(edit: Callable[[dict[str, Any]], None]) -> Callable[[Experiment], Experiment]:
    def plant(experiment: Experiment) -> Experiment:
        changed, model = experiment.with_model()
        for layer in layer_configs(model):
            edit(layer)
        return changed

    return plant


def _with_optimizer(**settings: Any) -> Callable[[Experiment], Experiment]:
    def plant(experiment: Experiment) -> Experiment:
        changed, compiled = experiment.with_compile()
        optimizer_config(compiled).update(settings)
        return changed

    return plant


def _zero(layer: dict[str, Any]) -> None:
    if layer["class_name"] == "Dense":
        layer["config"]["kernel_initializer"] = {"module": "keras.initializers", "class_name": "Zeros", "config": {}}


def _dropping(layer: dict[str, Any]) -> None:
    if layer["class_name"] == "Dropout":
        layer["config"]["rate"] = 0.98


def _penalised(layer: dict[str, Any]) -> None:
    given = layer["config"].get("kernel_regularizer")
    if given:
        given["config"]["l2"] = 3.0


FAULTS = (
    Fault("rate too low", lambda e: replace(e, learning_rate=1e-6), ScaleLearningRate(1e4)),
    Fault("rate too high", lambda e: replace(e, learning_rate=30.0), ScaleLearningRate(1 / 3000)),
    Fault("zero kernels", _with_layers(_zero), Reinitialise("glorot_uniform")),
    Fault("dropout too strong", _with_layers(_dropping), SetDropout(0.05)),
    Fault("penalty too strong", _with_layers(_penalised), RemovePenalty()),
    Fault("inputs unscaled", lambda e: _moved(e, 1e4), StandardiseInputs()),
    Fault("labels misaligned", lambda e: replace(e, y=np.roll(e.y, 1)), RealignLabels("shift", -1)),
    Fault("clipped to nothing", _with_optimizer(clipvalue=1e-12), RemoveClipping()),
)


def _moved(experiment: Experiment, by: float) -> Experiment:
    return replace(
        experiment,
        x=tuple(a * 1e-3 + np.float32(by) for a in experiment.x),
        held_x=tuple(a * 1e-3 + np.float32(by) for a in experiment.held_x),
    )


def healthy() -> Iterator[Row]:
    confirmed = []
    for number in range(HEALTHY):
        _, judged = _tried(subject(number), None, [irrelevant(number // 6)])
        confirmed.append(judged[1][1].outcome == "confirmed")
    share = float(np.mean(confirmed))
    yield row("healthy-irrelevant-change-confirmed", [share], "share", goal=0.05, better="lower", note=f"of {HEALTHY}")


def singles() -> Iterator[Row]:
    right, done, seconds, number = 0, 0, [], 0
    while done < SINGLES:
        who, fault = subject(1000 + number), FAULTS[number % len(FAULTS)]
        number += 1
        base = fault.plant(who.base)
        if who.skill(who.base) < LEARNT or who.skill(base) > LEARNT / 2:
            continue  # not learnt when healthy, or not broken by the fault
        began = time.perf_counter()
        _, judged = _tried(who, base, [fault.cure, irrelevant(number), irrelevant(number + 1)])
        trial = judged[1][1]
        right += trial.outcome == "confirmed" and (trial.effect or 0) > 0
        done += 1
        seconds.append(time.perf_counter() - began)
    yield row("planted-single-confirmed", [right / done], "share", goal=0.95, note=f"of {done}, {number} drawn")
    yield row("planted-single-time", seconds, "s", better="lower")


def pairs() -> Iterator[Row]:
    right, done, number = 0, 0, 0
    both = list(combinations(FAULTS, 2))
    while done < PAIRS and number < 10 * PAIRS:
        who, (one, other) = subject(2000 + number), both[number % len(both)]
        number += 1
        base = other.plant(one.plant(who.base))
        cured = other.cure.apply(one.cure.apply(base))
        alone = max(who.skill(one.cure.apply(base)), who.skill(other.cure.apply(base)))
        if who.skill(cured) < LEARNT or who.skill(base) > LEARNT / 2 or alone > LEARNT / 2:
            continue  # the two do not both have to go
        changes = [one.cure, other.cure, irrelevant(number), irrelevant(number + 1)]
        bench, judged = _tried(who, base, changes)
        found = combine(bench, judged, first=(), wanted=LEARNT, seeds=SEEDS)
        right += {"r0", "r1"} == set(found.rules)
        done += 1
    yield row(
        "planted-pair-minimal-set-right", [right / max(done, 1)], "share", goal=0.85, note=f"of {done}, {number} drawn"
    )


def _tried(who: Subject, base: Experiment | None, changes: Sequence[Intervention]) -> tuple[Bench, list[Any]]:
    bench = who.bench(base)
    return bench, run_trials(bench, [Arm(change, f"r{i}") for i, change in enumerate(changes)], SEEDS)
