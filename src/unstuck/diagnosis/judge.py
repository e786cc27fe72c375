"""Ask every rule about a case: needs -> check -> outcome. A rule that crashes is an outcome, not a crash."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from unstuck.experiments.reproduction import AT_CHANCE
from unstuck.finding import Fix, Outcome, RuleResult
from unstuck.measure.case import Case, Missing
from unstuck.measure.room import MARGIN, Room
from unstuck.measure.setup import Setup
from unstuck.rules.rule import Cleared, Judgement, NotApplicable, Rule, Suspect

TRAINING = "train skill"
OF_ONE_OUTPUT = ("OUT", "DAT")
"""Families of rules about an output with its labels and its loss; the others are about all of the network."""
NO_SIGNAL = "no-signal"


@dataclass(frozen=True)
class Judged:
    """One rule's answer for one fit.

    Attributes:
        suspect: set while the cause is still in play.
        cleared: the cause is cleared, for the reason in `result`, unless a trial confirms it.
    """

    rule: type[Rule]
    result: RuleResult
    suspect: Suspect | None = None
    cleared: bool = False


def judge_all(rules: Iterable[type[Rule]], case: Case) -> list[Judged]:
    return [_gated(judge(rule, case), case) for rule in rules]


def judge_outputs(judged: Sequence[Judged], outputs: Iterable[tuple[str, Case]]) -> list[Judged]:
    """The answers for a model with several outputs, each of which is asked about by itself as well.

    Trials are scored by the first output: what would need one is found only of an output at chance.
    """
    answers = list(judged)
    for name, case in outputs:
        for number, known in enumerate(answers):
            if known.suspect is not None or known.rule.code[:3] not in OF_ONE_OUTPUT:
                continue
            own = judge(known.rule, case)
            if own.suspect is not None and (own.suspect.confidence == "proven" or _at_chance(own, case)):
                answers[number] = _of_output(own, name, case)
            elif own.result.outcome == "cleared" and known.result.outcome == "not-applicable":
                answers[number] = own
    return answers


def _at_chance(judged: Judged, case: Case) -> bool:
    """Whether what is suspected of an output would be why it learns nothing, or why there is nothing to learn."""
    if judged.cleared:
        return False
    if judged.rule.name == NO_SIGNAL:
        return True
    room = case.find(Room)
    return room is not None and room.exists and room.reached <= AT_CHANCE


def _of_output(judged: Judged, name: str, case: Case) -> Judged:
    suspect = judged.suspect
    assert suspect is not None
    message, fix = f"output {name}: {suspect.message}", _fix_of(suspect, case)
    told = replace(suspect, message=message, scope={"output": name}, cures=(), rivals=(), control=None, fix=fix)
    return replace(judged, suspect=told, result=msgspec.structs.replace(judged.result, reason=message))


def _fix_of(suspect: Suspect, case: Case) -> Fix | None:
    """The change that is offered, in words only where it is one of compile, which holds what all outputs ask for."""
    setup = case.find(Setup)
    fix = suspect.fix or (suspect.cures[0].edit(setup) if setup and suspect.cures else None)
    place = setup.compile_location() if setup else None
    if fix is None or place is None:
        return fix
    inside = any(place.line <= edit.start[0] <= (place.end_line or place.line) for edit in fix.edits)
    return msgspec.structs.replace(fix, edits=(), applicability="sketch") if inside else fix


def judge(rule: type[Rule], case: Case) -> Judged:
    """The rule's own answer, before any experiment."""
    try:
        needs = [_supply(kind, case) for kind in rule.needs().values()]
        answer: Judgement = rule().check(*needs)
    except Missing as missing:
        return Judged(
            rule,
            result(
                rule, case, "not-checked", f"needs {missing.evidence}", needs=(missing.evidence,), supply=missing.supply
            ),
        )
    except Exception as error:
        return Judged(rule, result(rule, case, "crashed", f"{type(error).__name__}: {error}"))
    if isinstance(answer, Cleared):
        return Judged(
            rule, result(rule, case, "cleared", answer.reason, measured=answer.measured, threshold=answer.threshold)
        )
    if isinstance(answer, NotApplicable):
        return Judged(rule, result(rule, case, "not-applicable", answer.reason))
    if answer.unless_confirmed:
        return Judged(rule, result(rule, case, "cleared", answer.unless_confirmed), answer, cleared=True)
    return Judged(rule, result(rule, case, "found", answer.message), answer)


def result(rule: type[Rule], case: Case, outcome: Outcome, reason: str, **more: Any) -> RuleResult:
    return RuleResult(rule=rule.name, code=rule.code, outcome=outcome, fit=case.fit.index, reason=reason, **more)


def _supply(kind: Any, case: Case) -> Any:
    if isinstance(kind, types.UnionType) or typing.get_origin(kind) is typing.Union:
        inner = next(k for k in typing.get_args(kind) if k is not type(None))
        return case.find(inner)
    return case.get(kind)


def _gated(judged: Judged, case: Case) -> Judged:
    """Clear a suspicion that is no proof when the network has learnt what there is to learn.

    Where it has by the uncertainty of the references only, a trial may still uphold it.
    """
    suspect = judged.suspect
    if suspect is None or suspect.confidence == "proven" or not suspect.impairs or suspect.endpoint == TRAINING:
        return judged
    room = case.find(Room)
    if room is None or room.exists:
        return judged
    reached, known = f"skill {room.reached:.2f}", f"reference learners {room.learnable:.2f}"
    reason = f"it fits, but the run reached what is learnable: {reached}, {known}"
    cleared = result(judged.rule, case, "cleared", reason, measured=room.gap)
    if suspect.cures and room.learnable - room.reached > MARGIN:
        return replace(judged, result=cleared, cleared=True)
    if suspect.harmless:
        return replace(judged, suspect=suspect.note, result=result(judged.rule, case, "found", suspect.harmless))
    return Judged(judged.rule, cleared)
