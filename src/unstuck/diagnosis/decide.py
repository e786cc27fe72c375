"""From suspects to findings: run the trials, uphold or drop each suspect, say why in one sentence."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import msgspec
import numpy as np

from unstuck.diagnosis.judge import Judged
from unstuck.experiments.base import as_written, shortened
from unstuck.experiments.intervention import Intervention, Together
from unstuck.experiments.statistics import WORTH
from unstuck.experiments.trial import HELD, Arm, Bench, baseline_trial, key, run_trials
from unstuck.experiments.worker import Worker
from unstuck.finding import Confidence, Evidence, Finding, Fix, RuleResult, Severity, Trial
from unstuck.measure.case import Case, Missing
from unstuck.measure.data import Data
from unstuck.measure.reference import Reference
from unstuck.measure.setup import Setup
from unstuck.measure.skill import Skill
from unstuck.measure.task import Task
from unstuck.rules.rule import Suspect

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


def arms_of(judged: Sequence[Judged]) -> list[Arm]:
    """The arms of all suspects, proven ones first."""
    order = sorted((j for j in judged if j.suspect), key=lambda j: j.suspect.confidence != "proven")  # type: ignore[union-attr]
    arms: list[Arm] = []
    for entry in order:
        suspect, name = entry.suspect, entry.rule.name
        assert suspect is not None
        sign = -1 if suspect.harm else 1
        for cure in suspect.cures:
            against = getattr(cure, "baseline", None)
            arms.append(Arm(cure, name, "intervention", suspect.endpoint, sign, against))
        arms += [Arm(rival, name, "rival", suspect.endpoint) for rival in suspect.rivals]
        if suspect.control is not None and suspect.cures:
            arms.append(Arm(suspect.control, name, "control", suspect.endpoint, sign))
            shuffled = getattr(suspect.cures[0], "shuffled", None) or Together((suspect.cures[0], suspect.control))
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
    return _collect(case, bench, arms, run_trials(bench, arms, seeds), seeds, cut)


def _affordable(case: Case, base, train_y, jobs: int, budget: float):  # type: ignore[no-untyped-def]
    """Cut the experiment to what the budget allows, judged by what the recorded fit took."""
    from unstuck.experiments.experiment import layer_configs

    took = float(case.fit.end.get("seconds") or 10.0)
    convolutional = any("Conv" in c["class_name"] for c in layer_configs(base.model))
    share = budget * (1.5 if convolutional else BATCHED_GAIN) / max(1e-6, took * jobs)
    rows = len(base.y)
    cut, words = shortened(base, min(1.0, share)) if share < 1 or rows > 20_000 else (base, "")
    if len(cut.y) < rows:
        keep = np.sort(np.random.default_rng(5).choice(rows, len(cut.y), replace=False))
        train_y = train_y[keep]
    return cut, train_y, words


def _differs(setup: Setup) -> bool:
    """Whether the person's backend is known to train this head otherwise than JAX does."""
    from unstuck.measure.setup import BINARY, CATEGORICAL, SPARSE

    entropy = setup.loss.name in BINARY | CATEGORICAL | SPARSE
    odd = (setup.head.units == 1 and setup.head.activation == "softmax") or setup.loss.from_logits
    odd = odd or (setup.head.units == 1 and setup.loss.name in CATEGORICAL | SPARSE)
    return setup.backend == "tensorflow" and entropy and odd


def _collect(
    case: Case, bench: Bench, arms: Sequence[Arm], judged: list[tuple[Arm, Trial]], seeds: int, cut: str
) -> Tested:
    reference = case.find(Reference)
    judged = judged + _unions(bench, judged, (reference.best if reference else np.inf) - WORTH, seeds)
    enough = _best_reached(judged) - WORTH
    trials = [baseline_trial(bench)]
    by_rule: dict[str, list[Trial]] = {}
    for arm, trial in judged:
        full = trial
        if arm.role in ("intervention", "rival") and trial.value and arm.sign > 0 and np.isfinite(enough):
            full = msgspec.structs.replace(trial, sufficient=bool(np.mean(trial.displayed[HELD]) >= enough))
        if arm.against is not None and arm.role == "intervention":
            own = baseline_trial(bench, arm.against, f"-{arm.rule}")
            trials.append(own)
            by_rule.setdefault(arm.rule, []).append(own)
        trials.append(full)
        by_rule.setdefault(arm.rule, []).append(full)
    placebo = next(t for t in trials if t.role == "placebo")
    return Tested(tuple(trials), {k: tuple(v) for k, v in by_rule.items()}, placebo, "", cut)


def _unions(bench: Bench, judged: Sequence[tuple[Arm, Trial]], enough: float, seeds: int) -> list[tuple[Arm, Trial]]:
    """Where no single cure is enough, the best together with the best cure of each other suspect."""
    cures = [(a, t) for a, t in judged if a.role == "intervention" and a.sign > 0 and t.value]
    best: dict[str, tuple[Arm, Trial]] = {}
    for arm, trial in cures:
        if arm.rule not in best or _mean(trial) > _mean(best[arm.rule][1]):
            best[arm.rule] = (arm, trial)
    ranked = sorted(best.values(), key=lambda pair: -_mean(pair[1]))
    if len(ranked) < 2 or _mean(ranked[0][1]) >= enough:
        return []
    first = ranked[0][0]
    pairs = [
        Arm(Together((first.intervention, other.intervention)), first.rule)
        for other, _ in ranked[1:4]
        if other.intervention != first.intervention
    ]
    bench.run([p.intervention for p in pairs], range(seeds))
    return [(p, bench.judge(p, len(judged) + i, tried=len(pairs))) for i, p in enumerate(pairs)]


def _mean(trial: Trial) -> float:
    return float(np.mean(trial.displayed.get(HELD) or trial.value))


def _best_reached(judged: Sequence[tuple[Arm, Trial]]) -> float:
    """The best held-out skill that any trial reached which is not there to remove a leak."""
    reached = [_mean(t) for a, t in judged if t.value and a.sign > 0 and a.role != "control"]
    return max(reached, default=float("nan"))


def uphold(judged: Judged, case: Case, tested: Tested) -> tuple[Finding | None, RuleResult]:
    """The finding a suspect ends in, or None; and the rule's outcome."""
    suspect, result = judged.suspect, judged.result
    assert suspect is not None
    trials = tested.by_rule.get(judged.rule.name, ())
    cures = [t for t in trials if t.role == "intervention" and t.value]
    sign = -1 if suspect.harm else 1
    best = max(cures, key=lambda t: ((t.outcome == "confirmed"), sign * (t.effect or 0.0)), default=None)
    if best is not None and best.outcome == "confirmed":
        best = _smallest_sufficient(cures, best, sign)
    if suspect.confidence == "proven":
        priced = _priced(suspect, best) if suspect.harm else suspect
        return _finding(replace(judged, suspect=priced), case, tested, best, "proven", priced.conclusion), result
    if best is None:
        return _untested(judged, case, tested, trials)
    if best.outcome == "confirmed":
        return _finding(judged, case, tested, best, "confirmed", _confirmed(best, tested, suspect)), result
    if best.outcome == "refuted":
        if suspect.harm and suspect.flow:
            note = replace(suspect, severity="note", message=f"{suspect.message}; it costs nothing measurable here")
            return _finding(replace(judged, suspect=note), case, tested, best, "proven", _price(best)), result
        said = f"{best.label} changed {best.metric} by {_signed(best.effect)} {_interval(best)}"
        return None, _outcome(result, "refuted", said)
    message = f"{best.label} changed {best.metric} by {_signed(best.effect)} {_interval(best)}"
    settle = f"; about {best.seeds_to_settle} seeds would settle it" if best.seeds_to_settle else ""
    weaker = _at_most_warning(judged)
    finding = _finding(
        replace(judged, suspect=weaker), case, tested, best, "likely", f"inconclusive: {message}{settle}"
    )
    return msgspec.structs.replace(finding, outcome="inconclusive"), _outcome(result, "inconclusive", message + settle)


def _priced(suspect: Suspect, best: Trial | None) -> Suspect:
    """A leak that is a fact, with what it is worth: an error only if the score is not what it claims."""
    if best is None:
        return replace(suspect, severity="note", message=f"{suspect.message}; its price was not measured")
    if best.outcome == "confirmed":
        said = f"{best.metric} falls by {abs(best.effect or 0.0):.2f} {_interval(best)} when it is done honestly"
        return replace(suspect, severity="error", conclusion=f"{suspect.conclusion}; {said}".lstrip("; "))
    about = "its price here is about 0" if best.outcome == "refuted" else "its price is lost in the noise"
    said = f"{about}: done honestly, {best.metric} changes by {_signed(best.effect)} {_interval(best)}"
    message = f"{suspect.message}; {about} ({_signed(best.effect)} {_interval(best)} {best.metric})"
    return replace(suspect, severity="note", message=message, conclusion=f"{suspect.conclusion}; {said}".lstrip("; "))


def _smallest_sufficient(cures: Sequence[Trial], best: Trial, sign: int) -> Trial:
    """Among cures that do as well as the best (within the smallest worth), the first proposed: the mildest."""
    close = [t for t in cures if t.outcome == "confirmed" and sign * ((t.effect or 0) - (best.effect or 0)) > -WORTH]
    singles = [t for t in close if t.intervention.get("type") != "together"]
    return (singles or close or [best])[0]


def _untested(judged: Judged, case: Case, tested: Tested, trials: Sequence[Trial]) -> tuple[Finding | None, RuleResult]:
    suspect = judged.suspect
    assert suspect is not None
    rivals = [t for t in trials if t.role == "rival" and t.value]
    if rivals and not suspect.cures:
        reached = {t.label: _mean(t) for t in rivals}
        if max(reached.values()) > 2 * WORTH:
            name = max(reached, key=lambda k: reached[k])
            return None, _outcome(judged.result, "refuted", f"{name} reaches held-out skill {reached[name]:.2f}")
        said = ", ".join(f"{name}: {value:.2f}" for name, value in reached.items())
        conclusion = f"{suspect.conclusion + '; ' if suspect.conclusion else ''}held-out skill stays at chance ({said})"
        return _finding(judged, case, tested, None, "confirmed", conclusion), judged.result
    why = tested.problem or next((t.note for t in trials if t.note), "") or "experiments are off"
    conclusion = suspect.conclusion or f"the evidence fits; not tried: {why}"
    milder = replace(judged, suspect=_at_most_warning(judged))
    return _finding(milder, case, tested, None, suspect.confidence, conclusion), judged.result


def _at_most_warning(judged: Judged) -> Suspect:
    """Nobody is accused of an error without a proof or an experiment."""
    suspect = judged.suspect
    assert suspect is not None
    severity = suspect.severity or judged.rule.severity
    return replace(suspect, severity="warning" if severity == "error" else severity)


def _finding(
    judged: Judged, case: Case, tested: Tested, best: Trial | None, confidence: Confidence, conclusion: str
) -> Finding:
    suspect, rule = judged.suspect, judged.rule
    assert suspect is not None
    trials = tested.by_rule.get(rule.name, ())
    severity: Severity = suspect.severity or rule.severity
    written = [] if any(t.role == "baseline" for t in trials) else list(tested.trials[:1])
    placebo = [tested.placebo] if tested.placebo is not None and written else []
    shown = tuple(t.id for t in (*written, *placebo, *trials)) if trials else ()
    evidence = suspect.evidence
    if tested.cut and trials:
        evidence += (Evidence(measure="trial-size", text=f"the trials used {tested.cut}"),)
    setup = case.find(Setup)
    place = suspect.location or (setup.fit_location() if setup else None)
    mark = f"{rule.name}|{place.file if place else ''}|{dict(suspect.scope or {})}|{case.fit.index}"
    return Finding(
        rule=rule.name,
        code=rule.code,
        fingerprint="v1:" + hashlib.sha256(mark.encode()).hexdigest()[:12],
        severity=severity,
        confidence=confidence,
        message=suspect.message,
        location=place,
        related=tuple(p for p in suspect.related if p is not None),
        scope=dict(suspect.scope or {}),
        flow=suspect.flow,
        evidence=evidence,
        conclusion=conclusion,
        experiments=shown,
        cure=None if best is None else best.id,
        worth=None if best is None or best.effect is None else best.effect,
        fix=_fix(suspect, best, case),
        url=f"https://unstuck.readthedocs.io/rules/{rule.name}",
        fit=case.fit.index,
    )


def _fix(suspect: Suspect, best: Trial | None, case: Case) -> Fix | None:
    if suspect.fix is not None:
        return suspect.fix
    setup = case.find(Setup)
    chosen: Intervention | None = next(iter(suspect.cures), None)
    if best is not None:
        chosen = next((c for c in suspect.cures if c.label == best.label), chosen)
    if setup is None or chosen is None:
        return None
    try:
        return chosen.edit(setup)
    except Exception:
        return None


def _outcome(result: RuleResult, outcome: str, reason: str) -> RuleResult:
    return msgspec.structs.replace(result, outcome=outcome, reason=reason)


def _confirmed(best: Trial, tested: Tested, suspect: Suspect) -> str:
    before, after = float(np.mean(best.baseline)), float(np.mean(best.value))
    placebo = tested.placebo.effect if tested.placebo is not None else None
    against = f"; a placebo moves it by {_signed(placebo)}" if placebo is not None else ""
    if suspect.harm:
        return (
            f"of the {best.metric} of {before:.2f} shown, {abs(best.effect or 0):.2f} {_interval(best)} is the leak; "
            f"honest is near {after:.2f}{against}"
        )
    return f"{best.label} changes {best.metric} from {before:.2f} to {after:.2f} {_interval(best)}{against}"


def _price(best: Trial) -> str:
    return f"its price is about 0: done honestly, {best.metric} changes by {_signed(best.effect)} {_interval(best)}"


def _signed(value: float | None) -> str:
    return "nothing known" if value is None else f"{value:+.2f}".replace("-", "−")


def _interval(trial: Trial) -> str:
    if trial.interval is None:
        return ""
    return f"[{_signed(trial.interval[0])}, {_signed(trial.interval[1])}]"
