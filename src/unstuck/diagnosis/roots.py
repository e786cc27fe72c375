"""Roots, not echoes: link each consequence to its cause and order the rest by what fixing it is worth."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import msgspec

from unstuck.diagnosis.testing import Tested
from unstuck.diagnosis.verdict import LONGER, READINGS
from unstuck.experiments.bench import TRAIN
from unstuck.finding import CONFIDENCES, SEVERITIES, Evidence, Finding
from unstuck.rules.rule import Rule, Suspect

UPHELD = ("proven", "confirmed")
OUTCOME = "no-signal"
"""Where labels carry no signal, nothing that is wrong with training beside it decides the outcome."""
CLEARLY_MORE = 0.1
"""Skill by which a supposed echo must beat its supposed root to be kept as a cause of its own."""


def link(
    findings: Sequence[Finding],
    rules: Mapping[str, type[Rule]],
    suspects: Mapping[str, Suspect],
    tested: Tested,
) -> tuple[Finding, ...]:
    """Findings of one fit, roots first, echoes linked by `explained_by` and folded into their root's evidence."""
    added = {t.id for t in tested.trials if t.several}
    parents = {f.rule: _parent(f, findings, rules, suspects, tested.leads, added) for f in findings}
    linked = []
    for finding in findings:
        root = _root(finding.rule, parents)
        if root is not None:
            linked.append(msgspec.structs.replace(finding, explained_by=root))
            continue
        echoes = [f for f in findings if _root(f.rule, parents) == finding.rule]
        more = tuple(
            Evidence(measure=f"consequence-{f.rule}", text=f"consequence: {f.message} [{f.rule}]") for f in echoes
        )
        linked.append(msgspec.structs.replace(finding, evidence=finding.evidence + more))
    enough = {t.id: t.sufficient for t in tested.trials}
    stands = {f.rule: _stands(f, suspects[f.rule]) for f in findings}
    ranked = sorted(linked, key=lambda f: _rank(f, enough, stands=stands[f.rule]))
    return tuple(f if stands[f.rule] else _weighed(f, ranked[0], enough) for f in ranked)


def _weighed(finding: Finding, first: Finding, enough: Mapping[str, bool | None]) -> Finding:
    """A lesser cause beside one that decides the outcome impairs; it is no error of its own."""
    if finding is first or finding.severity != "error" or first.confidence not in UPHELD:
        return finding
    settled = any(enough.get(i) for i in first.experiments) and not any(enough.get(i) for i in finding.experiments)
    if first.rule == OUTCOME or settled:
        return msgspec.structs.replace(finding, severity="warning")
    return finding


def _stands(finding: Finding, suspect: Suspect) -> bool:
    """Whether a finding is an error whatever else is: proven, or about the score and not about training.

    What is proven of the training loss alone does not stand where there is nothing to learn.
    """
    return (finding.confidence == "proven" and suspect.endpoint != TRAIN) or finding.code.startswith("LEK")


def _parent(
    finding: Finding,
    findings: Sequence[Finding],
    rules: Mapping[str, type[Rule]],
    suspects: Mapping[str, Suspect],
    leads: Mapping[str, str],
    added: Collection[str | None],
) -> str | None:
    candidates = []
    for other in findings:
        if other.rule == finding.rule or other.outcome != "found":
            continue
        if leads.get(finding.rule) == other.rule and finding.cure in added:
            continue  # it is upheld by what its cure adds to the other's
        if leads.get(other.rule) == finding.rule and other.cure in added:
            continue  # the other's cure helps only where this one is gone
        claims = finding.rule in suspects[other.rule].leads_to or other.rule in rules[finding.rule].echo_of
        back = other.rule in suspects[finding.rule].leads_to or finding.rule in rules[other.rule].echo_of
        if not claims or (back and _strength(other) <= _strength(finding)):
            continue
        if other.confidence not in UPHELD and finding.confidence in UPHELD:
            continue
        if other.severity == "note" and finding.confidence == "confirmed":
            continue  # what does no harm here is not behind what a trial confirms
        alike = suspects[other.rule].endpoint == suspects[finding.rule].endpoint
        # What a leak's echo costs when it is closed alone says nothing: it takes away rows that belong there.
        # What several changes bring is not the worth of one cause.
        alone = not suspects[finding.rule].harm and finding.cure not in added
        more = alone and (finding.worth or 0) > (other.worth or 0) + CLEARLY_MORE
        if alike and more and other.confidence != "proven":
            continue
        candidates.append(other)
    return max(candidates, key=_strength).rule if candidates else None


def _strength(finding: Finding) -> tuple[int, float]:
    return -CONFIDENCES.index(finding.confidence), abs(finding.worth or 0.0)


def _root(rule: str, parents: Mapping[str, str | None]) -> str | None:
    seen, current = {rule}, parents.get(rule)
    while current is not None and parents.get(current) is not None and current not in seen:
        seen.add(current)
        current = parents[current]
    return current


def _rank(finding: Finding, enough: Mapping[str, bool | None], *, stands: bool) -> tuple[object, ...]:
    sufficient = any(enough.get(i) for i in finding.experiments)
    return (
        finding.explained_by is not None,
        not (stands and finding.severity == "error"),
        finding.rule != OUTCOME,
        SEVERITIES.index(finding.severity),
        finding.rule == LONGER,
        finding.code.startswith(READINGS),
        CONFIDENCES.index(finding.confidence) if finding.confidence in ("likely", "possible") else 0,
        finding.confidence != "proven",
        not sufficient,
        -abs(finding.worth or 0.0),
        finding.code,
    )
