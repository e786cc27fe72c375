"""Where the experiments of one fit run, and what they scored; no intervention can touch the rows that score."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from unstuck.experiments.engine import structure
from unstuck.experiments.experiment import Experiment
from unstuck.experiments.intervention import Intervention
from unstuck.experiments.outcome import Job, Outcome
from unstuck.experiments.pool import Executor
from unstuck.experiments.reproduction import SAME, Recorded
from unstuck.experiments.worker import WorkerLost
from unstuck.measure.task import Task

HELD = "held-out skill"
TRAIN = "train skill"
LOG_LOSS = "train log-loss skill"
"""`Task.log_loss_skill` on the rows trained on."""
CURVE_POINTS = 100
"""Points of a loss curve that a report keeps for each seed; a chart is not wider."""

Entry = tuple[Intervention | None, int, Experiment, np.ndarray]
"""An intervention, a seed, the experiment they make, and the canonical labels it is scored by."""


@dataclass
class Scores:
    """Scores a seed of one experiment; `engine` says where it ran."""

    seeds: list[int] = field(default_factory=list)
    held: list[float] = field(default_factory=list)
    train: list[float] = field(default_factory=list)
    log_loss: list[float] = field(default_factory=list)
    accuracy: list[float] = field(default_factory=list)
    shares: list[np.ndarray] = field(default_factory=list)
    """`Task.shares` of the held-out rows, where these are the recorded ones."""
    moved: list[bool] = field(default_factory=list)
    curves: list[tuple[float | None, ...]] = field(default_factory=list)
    losses: np.ndarray = field(default_factory=lambda: np.zeros(0))
    """Of each step of the first seed."""
    epochs: int = 0
    engine: str = ""
    error: str = ""
    seconds: float = 0.0
    training: float = 0.0
    """Seconds without those of building, compiling and waiting for a worker."""

    def of(self, endpoint: str) -> list[float]:
        return {TRAIN: self.train, LOG_LOSS: self.log_loss}.get(endpoint, self.held)


@dataclass
class Bench:
    """Where the experiments of one fit are run.

    Args:
        base: the run as written. task: canonical labels and scoring, training rows already those of `base`.
        train_y, held_y: canonical labels of base's training rows and of the held-out rows.
        executor: where it is trained; native: by Keras on the recorded backend instead of the batched engine.
        until: `time.monotonic()` after which nothing new is started.
    """

    base: Experiment
    task: Task
    train_y: np.ndarray
    held_y: np.ndarray
    executor: Executor
    until: float
    native: bool = False
    progress: Callable[[str], None] = lambda _: None
    store: dict[str, Scores] = field(default_factory=dict)
    endpoint: str = HELD
    """What the run as written and the placebo are shown by: `TRAIN` where there are too few rows to hold any out."""
    second: str = ""
    """What cures that do not raise the first endpoint are judged by, where the recorded run asks for it."""
    preparing: float = 0.0
    """Seconds that the run as written took before it was training: another structure takes about as long."""
    interrupted: bool = False
    """Whether the person stopped the trials; those that were finished are kept."""
    stand_in: Callable[[Experiment], Experiment] = lambda experiment: experiment
    """From an experiment to the one that is trained in its place, where a backend stands in for the recorded one."""

    def run(self, interventions: Iterable[Intervention | None], seeds: Sequence[int], *, share: float = 1.0) -> None:
        """Train these interventions (None: as written) with these seeds, once; results are kept in `store`.

        Args:
            share: of the seconds left, that a program may be expected to take; longer ones are left for a later call.
        """
        groups: dict[str, list[Entry]] = {}
        wanted = {key(intervention): intervention for intervention in interventions}
        for intervention in wanted.values():
            done = self.store.setdefault(key(intervention), Scores())
            for seed in [s for s in seeds if s not in done.seeds and not done.error]:
                try:
                    experiment, held_y = self._experiment(intervention, seed)
                except Exception as error:
                    done.error = f"{type(error).__name__}: {error}"
                    break
                groups.setdefault(structure(experiment), []).append((intervention, seed, experiment, held_y))
        parts = [part for group in groups.values() for part in self._parts(group)]
        if share < 1.0:
            parts = [part for part in parts if self._expected(part) <= share * self.seconds_left]
        order = list(wanted)
        cheap_first = sorted(parts, key=lambda part: (part[0][2].steps * len(part), order.index(key(part[0][0]))))
        if cheap_first and self.seconds_left > 1:
            self._train(cheap_first)

    def _parts(self, group: list[Entry]) -> list[list[Entry]]:
        """The group, or one an intervention where all of it would take longer than is left: what is done counts."""
        if self._expected(group) <= self.seconds_left:
            return [group]
        parts: dict[str, list[Entry]] = {}
        for entry in group:
            parts.setdefault(key(entry[0]), []).append(entry)
        return list(parts.values())

    def _expected(self, group: Sequence[Entry]) -> float:
        """Seconds that a group takes, by what the run as written took."""
        written = self.store.get(key(None), Scores())
        a_step = written.training / max(1, len(written.seeds) * self.base.steps)
        return self.preparing + a_step * sum(experiment.steps for _, _, experiment, _ in group)

    @property
    def seconds_left(self) -> float:
        return 0.0 if self.interrupted else self.until - time.monotonic()

    def _experiment(self, intervention: Intervention | None, seed: int) -> tuple[Experiment, np.ndarray]:
        start = self.base.initial if seed == 0 else None
        experiment, held_y = replace(self.base, initial=start), self.held_y
        if intervention is not None:
            experiment, held_y = intervention.for_seed(experiment, held_y, seed)
        return self.stand_in(experiment), held_y

    def _train(self, groups: Sequence[Sequence[Entry]]) -> None:
        self._announce(groups, 0)
        jobs = [[Job(experiment, seed) for _, seed, experiment, _ in group] for group in groups]
        began = time.monotonic()
        try:
            answers = self.executor.train(jobs, seconds=self.seconds_left, native=self.native)
            for finished, (number, answer) in enumerate(answers, 1):
                self._keep(groups[number], answer, time.monotonic() - began)
                self._announce(groups, finished)
        except KeyboardInterrupt:
            self.interrupted = True

    def _announce(self, groups: Sequence[Sequence[Entry]], finished: int) -> None:
        labels = dict.fromkeys(label(entry[0]) for group in groups[finished:] for entry in group)
        if labels:
            self.progress(f"trying: {', '.join(list(labels)[:3])} ({self.seconds_left:.0f} s left)")

    def _keep(self, group: Sequence[Entry], answer: list[Outcome] | WorkerLost, seconds: float) -> None:
        if isinstance(answer, WorkerLost):
            for intervention, *_ in group:
                self.store[key(intervention)].error = str(answer)
            return
        if not self.preparing:
            self.preparing = max(0.0, seconds - sum(outcome.seconds for outcome in answer))
        for (intervention, seed, experiment, held_y), outcome in zip(group, answer, strict=True):
            self._score(self.store[key(intervention)], seed, experiment, held_y, outcome, seconds / len(group))

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
        if not scores.seeds:
            scores.losses = outcome.losses
        scores.seeds.append(seed)
        scores.held.append(task.skill(held, held_y))
        if held_y is self.held_y:
            scores.shares.append(task.shares(held, held_y).astype(np.float32))
        scores.train.append(task.skill(train, train_y[: len(train)]))
        scores.log_loss.append(task.log_loss_skill(train, train_y[: len(train)]))
        scores.accuracy.append(task.accuracy(held, held_y))
        scores.moved.append(outcome.moved > 0)
        scores.curves.append(_thinned(outcome.curve))
        scores.epochs, scores.engine = experiment.epochs, outcome.engine
        scores.seconds += seconds
        scores.training += outcome.seconds

    def reproduce(self, recorded: Recorded, seeds: int, most: int) -> str:
        """Repeat the run as written: "" when it shows what was recorded, else how far it is off.

        A symptom that not every start shows is looked for with `most` seeds.
        """
        self.run([None], range(seeds))
        problem = self._reproduces(recorded)
        if problem and self.store[key(None)].seeds and self._off_by(recorded) is None:
            self.run([None], range(most))
            problem = self._reproduces(recorded)
        return problem

    def _reproduces(self, recorded: Recorded) -> str:
        scores = self.store[key(None)]
        if scores.error:
            return "" if recorded.raised else scores.error
        if not scores.seeds:
            return "interrupted" if self.interrupted else "the budget ended before the baseline trial"
        off = self._off_by(recorded)
        if off is not None:
            return f"with the recorded weights and batches the loss of a step is off by {off:.1%}"
        return recorded.missed_by(scores.held, scores.train)

    def _off_by(self, recorded: Recorded) -> float | None:
        """How far the first losses are from the recorded ones; None where that is no more than rounding."""
        off = recorded.off_by(self.store[key(None)].losses)
        return off if off is not None and off > SAME and not recorded.raised else None

    @property
    def resolution(self) -> float:
        """The smallest step that held-out skill can make: one row more."""
        return 1.0 / max(1, len(self.held_y)) / max(1e-3, 1 - (self.task.majority if self.task.is_classes else 0.0))


def key(intervention: Intervention | None) -> str:
    """Identity of an intervention within a bench."""
    if intervention is None:
        return "as written"
    settings = {k: float(v) if isinstance(v, int) else v for k, v in intervention.describe().items()}
    return f"{intervention.label}|{settings}"


def label(intervention: Intervention | None) -> str:
    return "as written" if intervention is None else intervention.label


def _thinned(curve: np.ndarray) -> tuple[float | None, ...]:
    """At most `CURVE_POINTS` values of a loss curve, the first and the last among them."""
    chosen = np.unique(np.linspace(0, len(curve) - 1, min(len(curve), CURVE_POINTS)).round().astype(int))
    return tuple(float(f"{v:.6g}") if np.isfinite(v) else None for v in np.asarray(curve, dtype=float)[chosen])
