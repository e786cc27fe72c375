"""What a report shows: root causes, each once, however many fits they were found in."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from unstuck.finding import CONFIDENCES, SEVERITIES, Finding, Fit, Outcome, Report

# The outcome that stands for a rule when it was tried on several fits: the one a person must know about.
_TELLING: tuple[Outcome, ...] = (
    "found",
    "crashed",
    "inconclusive",
    "suppressed",
    "refuted",
    "not-checked",
    "cleared",
    "not-applicable",
)


@dataclass(frozen=True)
class Cause:
    """A finding and the indices of all fits in which the same place has the same fault."""

    finding: Finding
    fits: tuple[int, ...]

    @property
    def standing(self) -> str:
        """The confidence word, or `inconclusive` when the experiments could not decide."""
        return "inconclusive" if self.finding.outcome == "inconclusive" else self.finding.confidence


def causes(report: Report, *, possible: bool = False) -> tuple[Cause, ...]:
    """Findings that are shown, in the order of the report: no consequences of another cause, no double."""
    shown = [
        f
        for f in report.findings
        if f.outcome in ("found", "inconclusive") and (possible or f.confidence != "possible")
    ]
    named = {f.rule for f in shown}
    groups: dict[tuple[object, ...], list[Finding]] = {}
    for finding in shown:
        if finding.explained_by not in named:
            groups.setdefault(_identity(finding), []).append(finding)
    return tuple(Cause(g[0], tuple(sorted({f.fit for f in g}))) for g in groups.values())


def _identity(finding: Finding) -> tuple[object, ...]:
    place = finding.location
    spot = (place.file, place.cell, place.line, place.column) if place else (finding.message,)
    return (finding.rule, finding.severity, finding.outcome, *spot)


def consequences(report: Report) -> tuple[Finding, ...]:
    """Findings that another shown finding explains."""
    named = {f.rule for f in report.findings if f.outcome in ("found", "inconclusive")}
    return tuple(f for f in report.findings if f.explained_by in named)


def reaches(report: Report, severity: str, *, possible: bool = False) -> bool:
    """Whether a cause that is shown and decided is at or above `severity` (`never`: none is)."""
    if severity == "never":
        return False
    bar = [str(s) for s in SEVERITIES].index(severity)
    return any(
        c.finding.outcome == "found" and SEVERITIES.index(c.finding.severity) <= bar
        for c in causes(report, possible=possible)
    )


def outcomes(report: Report) -> Counter[str]:
    """How many rules had each outcome; a rule tried on several fits counts once, by its most telling one."""
    by_rule: dict[str, Outcome] = {}
    for result in report.rules:
        before = by_rule.get(result.rule, result.outcome)
        by_rule[result.rule] = min(before, result.outcome, key=_TELLING.index)
    return Counter(by_rule.values())


def fit_of(report: Report, index: int) -> Fit | None:
    return next((fit for fit in report.fits if fit.index == index), None)


def tally(shown: tuple[Cause, ...]) -> list[tuple[str, int, str]]:
    """Severity, number and how sure, of each severity that occurs: `("error", 2, "1 proven, 1 likely")`."""
    rows = []
    for severity in SEVERITIES:
        words = Counter(c.standing for c in shown if c.finding.severity == severity)
        order = [w for w in (*CONFIDENCES, "inconclusive") if words[w]]
        if order:
            single = len(order) == 1
            sure = order[0] if single else ", ".join(f"{words[w]} {w}" for w in order)
            rows.append((str(severity), words.total(), sure))
    return rows
