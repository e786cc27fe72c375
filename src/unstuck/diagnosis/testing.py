"""Run the experiments that the suspects of one fit ask for."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np

from unstuck.diagnosis.judge import Judged
from unstuck.experiments.base import as_written, kept_rows, shortened
from unstuck.experiments.experiment import Experiment, layer_configs
from unstuck.experiments.intervention import Intervention, Together
from unstuck.experiments.statistics import WORTH
from unstuck.experiments.trial import HELD, MAX_SEEDS, Arm, Bench, baseline_trial, key, run_trials
from unstuck.experiments.worker import Worker
from unstuck.finding import Trial
from unstuck.measure.case import Case, Missing
from unstuck.measure.data import Data
from unstuck.measure.reference import Reference
from unstuck.measure.setup import BINARY, CATEGORICAL, SPARSE, Setup
from unstuck.measure.skill import Skill
from unstuck.measure.task import Task

MOST_PAIRS = 3
"""Pairs of cures that are tried together."""
BATCHED_GAIN = 8
"""How much cheaper a batched trial is than the recorded fit, at least; convolutions gain little."""


@dataclass(frozen=True)
class Tested:
    """What the experiments of one fit showed. `problem` says why they were not run or do not count."""

    trials: tuple[Trial, ...] = ()
    by_rule: dict[str, tuple[Trial, ...]] = field(default_factory=dict)
    placebo: Trial | None = None
    problem: str = ""
    cut: str = ""
    changes: Mapping[str, Intervention] = field(default_factory=dict)
    """The intervention of each trial, by its id."""
    leads: Mapping[str, str] = field(default_factory=dict)
    """For rules tried on top of another rule's cure: that rule."""


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
    workers: Callable[[str], Worker],
    budget: float,
    seeds: int,
    progress: Callable[[str], None],
) -> Tested:
    """Run the experiments that the suspects of one fit ask for.

    Args:
        workers: gives the worker process of a backend. budget: seconds. seeds: paired seeds to begin with.
    """
    arms = arms_of(judged)
    if not arms:
        return Tested()
    try:
        base, task, data, setup = as_written(case), case.get(Task), case.get(Data), case.get(Setup)
    except Missing as missing:
        return Tested(problem=f"experiments need {missing.evidence}")
    if task.is_classes and len(task.y) != len(data.y):
        return Tested(problem="experiments on sequence labels are not supported yet")
    base, train_y, cut = _affordable(case, base, task.y[data.fit_rows], len(arms) * seeds, budget)
    until = time.monotonic() + budget
    skill = case.find(Skill)
    recorded = (skill.train, skill.held) if skill else (float("nan"), float("nan"))
    fresh = not (case.fit.body["model"].get("optimizer") or {}).get("iterations")
    raised = case.fit.end.get("status") == "raised"
    native = _differs(setup)
    problem = ""
    for engine in ["native"] if native else ["batched", "native"]:
        backend = "jax" if engine == "batched" else setup.backend
        bench = Bench(
            base, task, train_y, task.held_y, workers(backend), until, engine == "native", fresh, progress=progress
        )
        bench.run([None], range(seeds))
        problem = bench.reproduces(*recorded, raised=raised)
        if not problem:
            break
        if engine == "batched" and setup.backend == "jax" and not bench.store[key(None)].error:
            break
    if problem:
        return Tested((baseline_trial(bench),), problem=problem, cut=cut)
    proven = [j.rule.name for j in judged if j.suspect and j.suspect.confidence == "proven" and not j.suspect.harm]
    return _collect(case, bench, run_trials(bench, arms, seeds), proven, seeds, cut)


def _affordable(
    case: Case, base: Experiment, train_y: np.ndarray, jobs: int, budget: float
) -> tuple[Experiment, np.ndarray, str]:
    """Cut the experiment to what the budget allows, judged by what the recorded fit took."""
    took = float(case.fit.end.get("seconds") or 10.0)
    convolutional = any("Conv" in c["class_name"] for c in layer_configs(base.model))
    share = budget * (1.5 if convolutional else BATCHED_GAIN) / max(1e-6, took * jobs)
    cut, words = shortened(base, share) if share < 1 else (base, "")
    return cut, train_y[kept_rows(len(base.y), len(cut.y))], words


def _differs(setup: Setup) -> bool:
    """Whether the person's backend is known to train this head otherwise than JAX does."""
    entropy = setup.loss.name in BINARY | CATEGORICAL | SPARSE
    odd = (setup.head.units == 1 and setup.head.activation == "softmax") or setup.loss.from_logits
    odd = odd or (setup.head.units == 1 and setup.loss.name in CATEGORICAL | SPARSE)
    return setup.backend == "tensorflow" and entropy and odd


def _collect(
    case: Case, bench: Bench, judged: list[tuple[Arm, Trial]], proven: Sequence[str], seeds: int, cut: str
) -> Tested:
    reference = case.find(Reference)
    known = (reference.best if reference else np.inf) - WORTH
    added = _on_top(bench, judged, proven, known, seeds)
    judged = judged + added
    enough = _best_reached(judged) - WORTH
    trials = [baseline_trial(bench)]
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
    placebo = next(t for t in trials if t.role == "placebo")
    changes = {trial.id: arm.intervention for arm, trial in judged}
    leads = {arm.rule: added[0][0].rule for arm, _ in added if arm.against is not None}
    return Tested(tuple(trials), {k: tuple(v) for k, v in by_rule.items()}, placebo, "", cut, changes, leads)


def _on_top(
    bench: Bench, judged: Sequence[tuple[Arm, Trial]], proven: Sequence[str], enough: float, seeds: int
) -> list[tuple[Arm, Trial]]:
    """Where the leading cure is not enough: what each other suspect's cure adds to it.

    Leading is the cure of a proven cause, which hides every other one until it is gone; else the cure that reached
    most. Each pair is judged twice: against the run as written for the leading rule, and against the leading cure
    alone for the other rule, so that a cause that only shows once another one is gone is upheld by its own effect.
    """
    best: dict[str, tuple[Arm, Trial]] = {}
    for arm, trial in judged:
        if arm.role != "intervention" or arm.sign < 0 or arm.against is not None or not trial.value:
            continue
        if arm.rule not in best or mean_skill(trial) > mean_skill(best[arm.rule][1]):
            best[arm.rule] = (arm, trial)
    ranked = sorted(best.values(), key=lambda pair: (pair[0].rule not in proven, -mean_skill(pair[1])))
    if len(ranked) < 2 or mean_skill(ranked[0][1]) >= enough:
        return []
    lead = ranked[0][0]
    added: list[tuple[Arm, Arm]] = []
    for other, _ in ranked[1 : 1 + MOST_PAIRS]:
        if other.intervention != lead.intervention:
            both = Together((lead.intervention, other.intervention))
            added.append((Arm(both, lead.rule), Arm(both, other.rule, against=lead.intervention)))
    arms = [arm for pair in added for arm in pair]
    found: list[tuple[Arm, Trial]] = []
    for total in (seeds, min(MAX_SEEDS, 3 * seeds)):
        bench.run([None, lead.intervention, *(first.intervention for first, _ in added)], range(total))
        found = [(arm, bench.judge(arm, len(judged) + i, tried=max(1, len(added)))) for i, arm in enumerate(arms)]
        if all(trial.outcome != "inconclusive" for arm, trial in found if arm.against is not None):
            break
    return found


def mean_skill(trial: Trial) -> float:
    return float(np.mean(trial.displayed.get(HELD) or trial.value))


def _best_reached(judged: Sequence[tuple[Arm, Trial]]) -> float:
    """The best held-out skill that any trial reached which is not there to remove a leak."""
    reached = [mean_skill(t) for a, t in judged if t.value and a.sign > 0 and a.role != "control"]
    return max(reached, default=float("nan"))
