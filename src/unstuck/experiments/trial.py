"""A trial: the run as written, each intervention, a placebo; paired seeds; scored on rows no intervention can touch."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from unstuck.experiments.engine import structure
from unstuck.experiments.experiment import Experiment
from unstuck.experiments.intervention import Intervention
from unstuck.experiments.interventions.placebo import OtherSeed
from unstuck.experiments.outcome import Job, Outcome
from unstuck.experiments.statistics import paired_effect
from unstuck.experiments.worker import Worker, WorkerLost
from unstuck.finding import Trial
from unstuck.measure.task import Task

HELD = "held-out skill"
TRAIN = "train skill"
MAX_SEEDS = 12
TOLERANCE = 0.15
"""Largest difference in skill between the recorded run and its repetition that still counts as the same symptom."""
AT_CHANCE = 0.1
CURVE_POINTS = 100
"""Points of a loss curve that a report keeps for each seed; a chart is not wider."""


@dataclass(frozen=True)
class Arm:
    """One intervention of a trial. `role` as in `finding.Trial`; `rule` is the suspect it was proposed for."""

    intervention: Intervention
    rule: str
    role: str = "intervention"
    endpoint: str = HELD
    sign: int = 1
    against: Intervention | None = None
    """What the arm is compared with, when that is not the run as written (a control under the cure)."""


@dataclass
class Scores:
    """Scores a seed of one experiment; `engine` says where it ran."""

    seeds: list[int] = field(default_factory=list)
    held: list[float] = field(default_factory=list)
    train: list[float] = field(default_factory=list)
    accuracy: list[float] = field(default_factory=list)
    moved: list[bool] = field(default_factory=list)
    curves: list[tuple[float | None, ...]] = field(default_factory=list)
    engine: str = ""
    error: str = ""
    seconds: float = 0.0

    def of(self, endpoint: str) -> list[float]:
        return self.train if endpoint == TRAIN else self.held


@dataclass(frozen=True)
class Bench:
    """Where the experiments of one fit are run.

    Args:
        base: the run as written. task: canonical labels and scoring, training rows already those of `base`.
        train_y, held_y: canonical labels of base's training rows and of the held-out rows.
        worker: the process that trains; native: whether it fits by Keras instead of the batched engine.
        until: `time.monotonic()` after which nothing new is started.
    """

    base: Experiment
    task: Task
    train_y: np.ndarray
    held_y: np.ndarray
    worker: Worker
    until: float
    native: bool = False
    fresh: bool = True
    """Whether the recorded run began from an ordinary initialisation, so that other seeds may draw their own."""
    progress: Callable[[str], None] = lambda _: None
    store: dict[str, Scores] = field(default_factory=dict)

    def run(self, interventions: Iterable[Intervention | None], seeds: Sequence[int]) -> None:
        """Train these interventions (None: as written) with these seeds, once; results are kept in `store`."""
        jobs: dict[str, list[tuple[Intervention | None, int, Experiment, np.ndarray]]] = {}
        for intervention in {key(i): i for i in interventions}.values():
            done = self.store.setdefault(key(intervention), Scores())
            for seed in [s for s in seeds if s not in done.seeds and not done.error]:
                try:
                    experiment, held_y = self._experiment(intervention, seed)
                except Exception as error:
                    done.error = f"{type(error).__name__}: {error}"
                    break
                jobs.setdefault(structure(experiment), []).append((intervention, seed, experiment, held_y))
        for group in jobs.values():
            self._train(group)

    def _experiment(self, intervention: Intervention | None, seed: int) -> tuple[Experiment, np.ndarray]:
        start = self.base.initial if seed == 0 or not self.fresh else None
        experiment, held_y = replace(self.base, initial=start), self.held_y
        if intervention is None:
            return experiment, held_y
        return intervention.for_seed(experiment, held_y, seed)

    def _train(self, group: Sequence[tuple[Intervention | None, int, Experiment, np.ndarray]]) -> None:
        left = self.until - time.monotonic()
        if left < 1:
            return
        labels = dict.fromkeys(label(i) for i, *_ in group)
        self.progress(f"trying: {', '.join(list(labels)[:3])} ({left:.0f} s left)")
        began = time.monotonic()
        try:
            outcomes = self.worker.train([Job(e, s) for _, s, e, _ in group], seconds=left, native=self.native)
        except WorkerLost as lost:
            for intervention, *_ in group:
                self.store[key(intervention)].error = str(lost)
            return
        seconds = (time.monotonic() - began) / len(group)
        for (intervention, seed, experiment, held_y), outcome in zip(group, outcomes, strict=True):
            self._score(self.store[key(intervention)], seed, experiment, held_y, outcome, seconds)

    def _score(
        self,
        scores: Scores,
        seed: int,
        experiment: Experiment,
        held_y: np.ndarray,
        outcome: Outcome,
        seconds: float,
    ) -> None:
        task, decoding = self.task, experiment.decoding

        def read(out: np.ndarray) -> np.ndarray:
            return task.read(out, decoding.activation, decoding.scale, decoding.shift)

        held, train = read(outcome.held_outputs), read(outcome.train_outputs)
        train_y = self.train_y if experiment.scored_y is None else experiment.scored_y
        scores.seeds.append(seed)
        scores.held.append(task.skill(held, held_y))
        scores.train.append(task.skill(train, train_y[: len(train)]))
        scores.accuracy.append(task.accuracy(held, held_y))
        scores.moved.append(outcome.moved > 0)
        scores.curves.append(_thinned(outcome.curve))
        scores.engine = outcome.engine
        scores.seconds += seconds

    def reproduces(self, recorded_train: float, recorded_held: float, *, raised: bool) -> str:
        """ "" when the baseline shows what was recorded, else how far it is off."""
        scores = self.store[key(None)]
        if scores.error:
            return "" if raised else scores.error
        if not scores.seeds:
            return "the budget ended before the baseline trial"
        recorded, found, name = recorded_held, scores.held, HELD
        if not np.isfinite(recorded):
            recorded, found, name = recorded_train, scores.train, TRAIN
        if not np.isfinite(recorded):
            return ""
        spread = float(np.std(found)) if len(found) > 1 else 0.0
        near = min(abs(v - recorded) for v in found) <= max(TOLERANCE, 2 * spread)
        both_low = recorded <= AT_CHANCE and float(np.median(found)) <= AT_CHANCE
        if near or both_low:
            return ""
        return f"{name} was {recorded:.2f} in the recorded run and {np.mean(found):.2f} when it was repeated"

    def judge(self, arm: Arm, number: int, *, tried: int) -> Trial:
        """The trial of one arm against its baseline, from what has been run."""
        baseline, value = (
            self.store.get(key(arm.against), Scores()),
            self.store.get(key(arm.intervention), Scores()),
        )
        shared = [s for s in value.seeds if s in baseline.seeds]

        def one(scores: Scores) -> list[float]:
            return [scores.of(arm.endpoint)[scores.seeds.index(s)] for s in shared]

        common: dict[str, Any] = {
            "id": f"x{number}",
            "role": arm.role,
            "label": arm.intervention.label,
            "intervention": arm.intervention.describe(),
            "metric": arm.endpoint,
            "seeds": tuple(shared),
            "engine": value.engine,
            "seconds": round(value.seconds, 3),
            "held_fixed": HELD_FIXED,
        }
        if not shared and not (baseline.error and value.seeds):
            why = _short(value.error or baseline.error) or "the budget ended first"
            return Trial(**common, outcome="not-run", note=why)
        if not shared:  # the run as written cannot be trained at all
            shared = list(value.seeds)
            base, score = [0.0] * len(shared), one(value)
            common["seeds"], common["note"] = tuple(shared), "as written it does not train"
        else:
            base, score = one(baseline), one(value)
        if arm.role == "control":
            found = float(np.mean(score)) > AT_CHANCE
            common["note"] = "finds signal in noise" if found else "as expected: nothing"
            return Trial(**common, value=tuple(score), outcome="baseline", displayed=self.displayed(value))
        effect = paired_effect(base, score, tried=tried, sign=arm.sign, resolution=self._resolution())
        return Trial(
            **common,
            baseline=tuple(base),
            value=tuple(score),
            effect=effect.mean,
            interval=(effect.low, effect.high),
            outcome=effect.decision,
            seeds_to_settle=effect.seeds_to_settle,
            weights_moved=all(value.moved) if value.moved else None,
            displayed=self.displayed(value),
            curves=tuple(value.curves),
        )

    def displayed(self, scores: Scores) -> dict[str, tuple[float, ...]]:
        shown: dict[str, tuple[float, ...]] = {HELD: tuple(scores.held), TRAIN: tuple(scores.train)}
        if np.isfinite(scores.accuracy).all() and scores.accuracy:
            shown["val_accuracy"] = tuple(scores.accuracy)
        return shown

    def _resolution(self) -> float:
        return 1.0 / max(1, len(self.held_y)) / max(1e-3, 1 - (self.task.majority if self.task.is_classes else 0.0))


HELD_FIXED = ("data", "seed", "epochs", "batch size", "everything else in the script")


def key(intervention: Intervention | None) -> str:
    """Identity of an intervention within a bench."""
    if intervention is None:
        return "as written"
    settings = {k: float(v) if isinstance(v, int) else v for k, v in intervention.describe().items()}
    return f"{intervention.label}|{settings}"


def _thinned(curve: np.ndarray) -> tuple[float | None, ...]:
    """At most `CURVE_POINTS` values of a loss curve, the first and the last among them."""
    chosen = np.unique(np.linspace(0, len(curve) - 1, min(len(curve), CURVE_POINTS)).round().astype(int))
    return tuple(float(v) if np.isfinite(v) else None for v in np.asarray(curve, dtype=float)[chosen])


def _short(error: str) -> str:
    """The kind of an error; the message is in the evidence."""
    return f"raises {error.split(':')[0]}" if ": " in error and " " not in error.split(":")[0] else error


def label(intervention: Intervention | None) -> str:
    return "as written" if intervention is None else intervention.label


PLACEBO = Arm(OtherSeed(), rule="", role="placebo")


def run_trials(bench: Bench, arms: Sequence[Arm], seeds: int) -> list[tuple[Arm, Trial]]:
    """Run all arms with `seeds` paired seeds; add seeds, up to `MAX_SEEDS`, to those that stay undecided.

    The first entry is the placebo.
    """
    everything = [PLACEBO, *arms]
    tried = max(1, len({key(a.intervention) for a in arms if a.role == "intervention"}))
    wanted: list[Intervention | None] = [x for arm in everything for x in (arm.against, arm.intervention)]

    def judge_all() -> list[tuple[Arm, Trial]]:
        return [(arm, bench.judge(arm, i, tried=tried)) for i, arm in enumerate(everything)]

    bench.run([None, *wanted], range(seeds))
    judged = judge_all()
    total = seeds
    prices = [arm for arm in arms if arm.sign < 0]
    if prices:  # a price is a number that people quote: twice the seeds
        total = min(MAX_SEEDS, 2 * seeds)
        bench.run([None, PLACEBO.intervention, *(x for a in prices for x in (a.against, a.intervention))], range(total))
        judged = judge_all()
    while total < MAX_SEEDS and bench.until - time.monotonic() > 2:
        close = [arm for arm, trial in judged if trial.outcome == "inconclusive" and arm.role == "intervention"]
        if not close:
            break
        total = min(MAX_SEEDS, total * 2)
        again: list[Intervention | None] = [None, PLACEBO.intervention]
        again += [x for arm in close for x in (arm.against, arm.intervention)]
        bench.run(again, range(total))
        judged = judge_all()
    return judged


def baseline_trial(bench: Bench, written: Intervention | None = None, number: str = "") -> Trial:
    """The run as written, as a row of its own; `written` where it is written anew for each seed (another split)."""
    scores: Scores = bench.store.get(key(written), Scores())
    values: dict[str, Any] = {
        "seeds": tuple(scores.seeds),
        "baseline": tuple(scores.held),
        "value": tuple(scores.held),
    }
    return Trial(
        id=f"x-baseline{number}",
        role="baseline",
        label=label(written),
        metric=HELD,
        engine=scores.engine,
        weights_moved=any(scores.moved) if scores.moved else None,
        displayed=bench.displayed(scores),
        curves=tuple(scores.curves),
        note="" if scores.seeds else _short(scores.error),
        seconds=round(scores.seconds, 3),
        **values,
    )
