"""Run the experiments that the suspects of one fit ask for."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import msgspec
import numpy as np

from unstuck.diagnosis.judge import Judged
from unstuck.experiments.base import as_written, kept_rows, shortened
from unstuck.experiments.bench import HELD, LOG_LOSS, TRAIN, Bench, key
from unstuck.experiments.combination import combine, mean_skill
from unstuck.experiments.differences import as_on_tensorflow, trained_otherwise
from unstuck.experiments.experiment import Experiment, layer_configs
from unstuck.experiments.follow_up import follow_up
from unstuck.experiments.intervention import Intervention, Together
from unstuck.experiments.interventions.epochs import ScaleEpochs
from unstuck.experiments.pool import Executor
from unstuck.experiments.reproduction import AT_CHANCE, Recorded
from unstuck.experiments.statistics import WORTH
from unstuck.experiments.trial import MAX_SEEDS, Arm, baseline_trial, run_trials
from unstuck.finding import Trial
from unstuck.measure.case import Case, Missing
from unstuck.measure.data import Data
from unstuck.measure.reference import Reference
from unstuck.measure.setup import Setup
from unstuck.measure.skill import Skill
from unstuck.measure.task import Task

BATCHED_GAIN = 8
"""How much cheaper a batched trial is than the recorded fit, at least; convolutions gain little."""
LEAST_ARMS, FIRST_ARMS = 3, 4
"""What the budget must pay for before a fit is cut short: the run as written, a placebo and a change; of changes so
many, and further ones are tried as long as there is time."""


@dataclass(frozen=True)
class Tested:
    """What the experiments of one fit showed. `problem` says why they were not run or do not count."""

    trials: tuple[Trial, ...] = ()
    by_rule: dict[str, tuple[Trial, ...]] = field(default_factory=dict)
    fit: int = 0
    """Index of the fit that was tried."""
    placebos: tuple[Trial, ...] = ()
    """One for each endpoint."""
    problem: str = ""
    cut: str = ""
    changes: Mapping[str, Intervention] = field(default_factory=dict)
    """The intervention of each trial, by its id."""
    leads: Mapping[str, str] = field(default_factory=dict)
    """For rules tried on top of another rule's cure: that rule."""
    together: tuple[str, ...] = ()
    """Rules of the smallest set of changes found that does what none of them does alone."""
    interrupted: bool = False

    def placebo(self, metric: str) -> Trial | None:
        """The placebo that is scored as a trial is; the first where none is."""
        return next((t for t in self.placebos if t.metric == metric), next(iter(self.placebos), None))


def arms_of(judged: Sequence[Judged]) -> list[Arm]:
    """The arms of all suspects, proven ones first."""
    order = sorted((j for j in judged if j.suspect), key=lambda j: j.suspect.confidence != "proven")  # type: ignore[union-attr]
    arms: list[Arm] = []
    for entry in order:
        suspect, name = entry.suspect, entry.rule.name
        assert suspect is not None
        sign = -1 if suspect.harm else 1
        for cure in suspect.cures:
            arms.append(Arm(cure, name, "intervention", suspect.endpoint, sign, cure.baseline))
        arms += [Arm(rival, name, "rival", suspect.endpoint) for rival in suspect.rivals]
        if suspect.control is not None and suspect.cures:
            arms.append(Arm(suspect.control, name, "control", suspect.endpoint, sign))
            shuffled = suspect.cures[0].shuffled or Together((suspect.cures[0], suspect.control))
            arms.append(Arm(shuffled, name, "control", suspect.endpoint, sign, suspect.control))
    return arms


def test(
    case: Case,
    judged: Sequence[Judged],
    *,
    executors: Callable[[str], Executor],
    budget: float,
    seeds: int,
    progress: Callable[[str], None],
) -> Tested:
    """Run the experiments that the suspects of one fit ask for.

    Args:
        executors: gives what trains on a backend. budget: seconds. seeds: paired seeds to begin with.
    """
    arms = arms_of(judged)
    if not arms:
        return Tested()
    try:
        base, task, data, setup = as_written(case), case.get(Task), case.get(Data), case.get(Setup)
    except Missing as missing:
        return Tested(problem=f"experiments need {missing.evidence}")
    endpoint = TRAIN if data.too_few else HELD
    if data.too_few:
        arms = [replace(arm, endpoint=endpoint) for arm in arms]
    jobs = int(np.clip(len(arms), LEAST_ARMS, FIRST_ARMS)) * seeds
    base, train_y, cut = _affordable(case, base, _by_row(task, data)[data.fit_rows], jobs, budget)
    skill = case.find(Skill)
    if cut and skill is not None and skill.best > AT_CHANCE:  # that a shortened fit gains by more epochs proves nothing
        arms = [arm for arm in arms if arm.role != "intervention" or ScaleEpochs.__name__ not in arm.intervention.turns]
        if not arms:
            return Tested(problem=f"more epochs take longer than the budget ({budget:.0f} s)")
    second = LOG_LOSS if skill is not None and (skill.worse_than_constant or skill.unsure) else ""
    until = time.monotonic() + budget
    recorded = Recorded.of(case, base)
    otherwise = trained_otherwise(setup, data)
    problem = ""
    for native in (True,) if otherwise else (False, True):
        executor = executors(setup.backend if native else "jax")
        bench = Bench(base, task, train_y, task.held_y, executor, until, native, progress, {}, endpoint, second)
        if setup.backend == "tensorflow" and not native:
            bench.stand_in = as_on_tensorflow
        problem = bench.reproduce(recorded, seeds, MAX_SEEDS)
        trained = bool(bench.store[key(None)].seeds)
        if not problem or bench.interrupted or (setup.backend == "jax" and trained):
            break
        foreign = base.custom and not trained
        otherwise = f"its own code is written for {setup.backend}" if foreign else f"batched on JAX: {problem}"
    if problem:
        return Tested((baseline_trial(bench),), problem=problem, cut=cut, interrupted=bench.interrupted)
    proven = [j.rule.name for j in judged if j.suspect and j.suspect.confidence == "proven" and not j.suspect.harm]
    seeds = max(seeds, len(bench.store[key(None)].seeds))
    return _collect(case, bench, run_trials(bench, arms, seeds), proven, seeds, cut, otherwise if native else "")


def _affordable(
    case: Case, base: Experiment, train_y: np.ndarray, jobs: int, budget: float
) -> tuple[Experiment, np.ndarray, str]:
    """Cut the experiment to what the budget allows, judged by what the recorded fit took."""
    took = float(case.fit.end.get("seconds") or 10.0)
    convolutional = any("Conv" in c["class_name"] for c in layer_configs(base.model))
    share = budget * (1.5 if convolutional else BATCHED_GAIN) / max(1e-6, took * jobs)
    cut, words = shortened(base, share) if share < 1 else (base, "")
    labels = train_y[kept_rows(len(base.y), len(cut.y))]
    return cut, labels.reshape(-1) if labels.dtype.kind in "iu" else labels, words


def _by_row(task: Task, data: Data) -> np.ndarray:
    """Canonical labels with a first axis of rows: (n,) or (n, steps) for classes, (n, k) for the rest."""
    return task.y.reshape(len(data.y), -1) if task.is_classes else task.y


def _collect(
    case: Case,
    bench: Bench,
    judged: list[tuple[Arm, Trial]],
    proven: Sequence[str],
    seeds: int,
    cut: str,
    why_native: str,
) -> Tested:
    reference = case.find(Reference)
    known = (reference.best if reference and not reference.by_step else np.inf) - WORTH
    combined = combine(bench, judged, first=proven, wanted=known, seeds=seeds)
    judged = [*judged, *combined.judged, *follow_up(bench, judged, combined.judged, proven, wanted=known, seeds=seeds)]
    enough = _best_reached(judged) - WORTH
    trials = [msgspec.structs.replace(baseline_trial(bench), note=why_native)]
    by_rule: dict[str, list[Trial]] = {}
    for arm, trial in judged:
        full = trial
        if arm.role in ("intervention", "rival") and trial.value and arm.sign > 0 and np.isfinite(enough):
            full = msgspec.structs.replace(trial, sufficient=bool(np.mean(trial.displayed[HELD]) >= enough))
        if arm.against is not None and arm.role == "intervention":
            own = baseline_trial(bench, arm.against, f"-{arm.rule}-{len(trials)}")
            trials.append(own)
            by_rule.setdefault(arm.rule, []).append(own)
        trials.append(full)
        by_rule.setdefault(arm.rule, []).append(full)
    changes = {trial.id: arm.intervention for arm, trial in judged}
    leads = {arm.rule: combined.lead for arm, _ in combined.judged if arm.against is not None}
    return Tested(
        trials=tuple(trials),
        by_rule={k: tuple(v) for k, v in by_rule.items()},
        placebos=tuple(t for t in trials if t.role == "placebo"),
        cut=cut,
        changes=changes,
        leads=leads,
        together=combined.rules if len(combined.rules) > 1 else (),
        interrupted=bench.interrupted,
    )


def _best_reached(judged: Sequence[tuple[Arm, Trial]]) -> float:
    """The best held-out skill that any trial reached which is not there to remove a leak."""
    reached = [mean_skill(t) for a, t in judged if t.value and a.sign > 0 and a.role != "control"]
    return max(reached, default=float("nan"))
