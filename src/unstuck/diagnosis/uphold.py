"""From suspects to findings: uphold or drop each by its trials, and say why in one sentence."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import msgspec
import numpy as np

from unstuck.diagnosis.judge import Judged
from unstuck.diagnosis.testing import Tested
from unstuck.experiments.bench import HELD
from unstuck.experiments.combination import mean_skill
from unstuck.experiments.intervention import Intervention
from unstuck.experiments.reproduction import AT_CHANCE
from unstuck.experiments.statistics import WORTH
from unstuck.finding import Confidence, Evidence, Finding, Fix, Location, RuleResult, Severity, Trial
from unstuck.measure.case import Case
from unstuck.measure.code.source import Sources
from unstuck.measure.setup import Setup
from unstuck.measure.training.ending import Ending
from unstuck.rules.rule import Suspect

LEARNS, MOST = 0.5, 0.75
"""Held-out skill, and its share of that with the cure, from which a network learns most of what there is."""


def uphold(judged: Judged, case: Case, tested: Tested) -> tuple[Finding | None, RuleResult]:
    """The finding a suspect ends in, or None; and the rule's outcome."""
    suspect, result = judged.suspect, judged.result
    assert suspect is not None
    trials = tested.by_rule.get(judged.rule.name, ())
    cures = [t for t in trials if t.role == "intervention" and t.value]
    sign = -1 if suspect.harm else 1
    best = max(
        cures, key=lambda t: (t.outcome == "confirmed", t.metric == HELD, sign * (t.effect or 0.0)), default=None
    )
    if best is not None and best.outcome == "confirmed":
        best = _smallest_sufficient(cures, best, sign)
    if judged.cleared:
        if best is None or best.outcome != "confirmed":
            return _harmless(judged, case, tested, best, result)
        suspect = _at_most_warning(judged)
        judged = replace(judged, suspect=suspect)
        result = _outcome(result, "found", suspect.message)
    if suspect.confidence == "proven":
        priced = _priced(suspect, best, judged.rule.severity) if suspect.harm else _not_alone(suspect, cures, best)
        return _finding(replace(judged, suspect=priced), case, tested, best, "proven", priced.conclusion), result
    if best is None:
        return _untested(judged, case, tested, trials)
    if best.outcome == "confirmed":
        can = max((t for t in trials if t.role == "rival" and t.value), key=mean_skill, default=None)
        if suspect.cannot and can is not None and mean_skill(can) > mean_skill(best) - WORTH:
            reason = f"as it is it reaches {can.metric} {mean_skill(can):.2f} with {can.label}"
            return None, _outcome(result, "refuted", reason)
        advice = not suspect.harm and _learns(best)
        said = replace(judged, suspect=_at_most_warning(judged)) if advice else judged
        return _finding(said, case, tested, best, "confirmed", _confirmed(best, tested, suspect)), result
    message = f"{best.label} changed {best.metric} by {_signed(best.effect)} {_interval(best)}"
    if suspect.harm and (suspect.flow or suspect.severity == "error"):  # seen at work, or in the numbers themselves
        about = "is about 0" if best.outcome == "refuted" else "is lost in the noise"
        costs = "it costs nothing measurable here" if best.outcome == "refuted" else f"its price here {about}"
        note = replace(suspect, severity="note", message=f"{suspect.message}; {costs}")
        said = replace(judged, suspect=note)
        return _finding(said, case, tested, best, "proven", _price(f"its price {about}", best)), result
    short = not suspect.harm and _too_short(tested, best)
    if best.outcome == "refuted" and not short:
        return _harmless(judged, case, tested, best, _outcome(result, "refuted", message))
    settle = f"; about {best.seeds_to_settle} seeds would settle it" if best.seeds_to_settle else ""
    if short:
        settle = f"; in {tested.cut} neither learns: a larger --budget would settle it"
    # what a leak is worth is lost in the noise: a note, not an accusation
    weaker = replace(suspect, severity="note") if suspect.harm else _at_most_warning(judged)
    finding = _finding(replace(judged, suspect=weaker), case, tested, best, "likely", f"{message}{settle}")
    return msgspec.structs.replace(finding, outcome="inconclusive"), _outcome(result, "inconclusive", message + settle)


def _too_short(tested: Tested, best: Trial) -> bool:
    """Whether the fit was cut to where nothing is learnt with the change either, so that no difference says nothing."""
    return bool(tested.cut) and mean_skill(best) < AT_CHANCE


def _harmless(
    judged: Judged, case: Case, tested: Tested, best: Trial | None, result: RuleResult
) -> tuple[Finding | None, RuleResult]:
    """A note on what stays true where no harm is found; None where there is nothing to tell."""
    suspect = judged.suspect
    assert suspect is not None
    if not suspect.harmless:
        return None, result
    tried = "no harm is measurable here"
    if best is not None and best.effect is not None:
        tried += f": {best.label} changes {best.metric} by {_signed(best.effect)} {_interval(best)}"
    finding = _finding(replace(judged, suspect=suspect.note), case, tested, best, "proven", tried)
    return finding, _outcome(result, "found", suspect.harmless)


def _not_alone(suspect: Suspect, cures: Sequence[Trial], best: Trial | None) -> Suspect:
    """What is proven and gone is not always enough: with what else the network learns is told."""
    alone = [t for t in cures if not t.several and t.outcome != "confirmed"]
    if best is None or best.outcome != "confirmed" or not best.several or not alone:
        return suspect
    text = (
        f"{alone[0].label} alone changes {alone[0].metric} by {_signed(alone[0].effect)} {_interval(alone[0])}; "
        f"{best.label} by {_signed(best.effect)} {_interval(best)}"
    )
    found = Evidence(measure="not-enough-alone", text=text, value=alone[0].effect, expected=best.effect)
    return replace(suspect, evidence=(*suspect.evidence, found))


def _priced(suspect: Suspect, best: Trial | None, usual: Severity) -> Suspect:
    """A leak that is a fact, with what it is worth: an error only if the score is not what it claims.

    Without a price it is a doubt, or a note where such a leak, by the severity of its rule, usually costs nothing.
    """
    if best is None:
        message = f"{suspect.message}; its price was not measured"
        return replace(suspect, severity="note" if usual == "note" else "warning", message=message)
    if best.outcome == "confirmed":
        said = f"{best.metric} falls by {_lost(best)} when it is done honestly"
        return replace(suspect, severity="error", conclusion=f"{suspect.conclusion}; {said}".lstrip("; "))
    about = "its price here is about 0" if best.outcome == "refuted" else "its price is lost in the noise"
    said = _price(about, best)
    message = f"{suspect.message}; {about} ({_signed(best.effect)} {_interval(best)} {best.metric})"
    return replace(suspect, severity="note", message=message, conclusion=f"{suspect.conclusion}; {said}".lstrip("; "))


def _smallest_sufficient(cures: Sequence[Trial], best: Trial, sign: int) -> Trial:
    """Among cures that do as well as the best (within the smallest worth), the first proposed: the mildest."""
    like = [t for t in cures if t.outcome == "confirmed" and t.metric == best.metric]
    close = [
        t
        for t in like
        if sign * ((t.effect or 0) - (best.effect or 0)) > -WORTH  # pairs of other seeds have another run as written
        or sign * (mean_skill(t) - mean_skill(best)) > -WORTH
    ]
    singles = [t for t in close if not t.several]
    return (singles or close or [best])[0]


def _untested(judged: Judged, case: Case, tested: Tested, trials: Sequence[Trial]) -> tuple[Finding | None, RuleResult]:
    suspect = judged.suspect
    assert suspect is not None
    rivals = [t for t in trials if t.role == "rival" and t.value]
    if rivals and not suspect.cures:
        others = [t for t in tested.trials if t.outcome == "confirmed" and t.metric == HELD and (t.effect or 0) > 0]
        reached = {t.label: mean_skill(t) for t in (*rivals, *others)}
        if max(reached.values()) > 2 * WORTH:
            name = max(reached, key=lambda k: reached[k])
            return None, _outcome(judged.result, "refuted", f"{name} reaches held-out skill {reached[name]:.2f}")
        said = ", ".join(f"{name}: {value:.2f}" for name, value in reached.items())
        conclusion = f"{suspect.conclusion + '; ' if suspect.conclusion else ''}held-out skill stays at chance ({said})"
        surer: Confidence = "likely" if suspect.confidence == "possible" else "confirmed"
        return _finding(judged, case, tested, None, surer, conclusion), judged.result
    ending = case.get(Ending)
    repeated_in_vain = bool(tested.problem and tested.trials)
    if repeated_in_vain and ending.cut and ending.steps and suspect.confidence != "proven":
        reason = f"the fit {ending.words}; {tested.problem}"
        return None, _outcome(judged.result, "inconclusive", reason)
    why = tested.problem or next((t.note for t in trials if t.note), "") or "experiments are off"
    conclusion = suspect.conclusion or f"the evidence fits; not tried: {why}"
    milder = replace(judged, suspect=_at_most_warning(judged))
    return _finding(milder, case, tested, None, suspect.confidence, conclusion), judged.result


def _learns(best: Trial) -> bool:
    """Whether the network learns most of it as it is: then a cure that adds a little is advice, its lack no error."""
    before, after = float(np.mean(best.baseline)), float(np.mean(best.value))
    return best.metric == HELD and before >= LEARNS and before >= MOST * after


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
    anew = any(cure.baseline for cure in suspect.cures)
    written = [] if anew and any(t.role == "baseline" for t in trials) else list(tested.trials[:1])
    metrics = dict.fromkeys(t.metric for t in trials)
    placebos = dict.fromkeys(p.id for m in metrics if (p := tested.placebo(m)) is not None) if written else {}
    shown = (*(t.id for t in written), *placebos, *(t.id for t in trials)) if trials else ()
    evidence = suspect.evidence
    if tested.cut and trials:
        evidence += (Evidence(measure="trial-size", text=f"the trials used {tested.cut}"),)
    if trials and tested.fit != case.fit.index:
        evidence += (
            Evidence(measure="tried-in-fit", text=f"tried in fit {tested.fit + 1}, which the same lines made"),
        )
    setup = case.find(Setup)
    place = suspect.location or (setup.fit_location() if setup else None)
    related = tuple(p for p in suspect.related if p is not None)
    mark = f"{rule.name}|{place.file if place else ''}|{dict(suspect.scope or {})}|{case.fit.index}"
    return Finding(
        rule=rule.name,
        code=rule.code,
        fingerprint="v1:" + hashlib.sha256(mark.encode()).hexdigest()[:12],
        severity=severity,
        confidence=confidence,
        message=suspect.message,
        location=place,
        related=(*related, *(() if suspect.flow else _origins(case, place, *related))),
        scope=dict(suspect.scope or {}),
        flow=suspect.flow,
        evidence=evidence,
        conclusion=conclusion,
        experiments=shown,
        cure=None if best is None else best.id,
        worth=None if best is None or best.effect is None else best.effect,
        fix=_fix(suspect, best, case, tested),
        url=f"https://unstuck.readthedocs.io/rules/{rule.name}",
        fit=case.fit.index,
    )


def _origins(case: Case, *places: Location | None) -> tuple[Location, ...]:
    """Where names that stand at these places were made, such as the arrays that are handed to fit."""
    sources = case.find(Sources)
    found = [sources.origin(place) for place in places] if sources is not None else []
    known = {(p.file, p.line, p.cell) for p in places if p is not None}
    return tuple(dict.fromkeys(p for p in found if p is not None and (p.file, p.line, p.cell) not in known))


def _fix(suspect: Suspect, best: Trial | None, case: Case, tested: Tested) -> Fix | None:
    if suspect.fix is not None:
        return suspect.fix
    setup = case.find(Setup)
    chosen: Intervention | None = next(iter(suspect.cures), None)
    if best is not None:
        chosen = tested.changes.get(best.id, chosen)
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
    placebo = tested.placebo(best.metric)
    against = (
        f"; a placebo moves it by {_signed(placebo.effect)}"
        if placebo is not None and placebo.effect is not None
        else ""
    )
    worthless = ", no better than a constant answer" if after < WORTH and "skill" in best.metric else ""
    if suspect.harm:
        return (
            f"of the {best.metric} of {_plain(before)} shown, {_lost(best)} is the leak; "
            f"honest is near {_plain(after)}{worthless}{against}"
        )
    change = f"from {_plain(before)} to {_plain(after)}{worthless}, by {_signed(best.effect)} {_interval(best)}"
    return f"{best.label} changes {best.metric} {change}{against}"


def _price(about: str, best: Trial) -> str:
    return f"{about}: done honestly, {best.metric} changes by {_signed(best.effect)} {_interval(best)}"


def _lost(honest: Trial) -> str:
    """How much a score falls when a leak is closed, as an amount: `0.26 [0.22, 0.30]`."""
    low, high = sorted(-end for end in honest.interval or (0.0, 0.0))
    between = f" [{_plain(low)}, {_plain(high)}]" if honest.interval else ""
    return f"{_plain(-(honest.effect or 0.0))}{between}"


def _plain(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")


def _signed(value: float | None) -> str:
    return "nothing known" if value is None else f"{value:+.2f}".replace("-", "−")


def _interval(trial: Trial) -> str:
    if trial.interval is None:
        return ""
    return f"[{_signed(trial.interval[0])}, {_signed(trial.interval[1])}]"
