"""Findings that are set aside: by a comment beside the layer, the `compile` or the `fit` they point at, or by file."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from unstuck.finding import SEVERITIES, Report
from unstuck.source.suppressions import directives, is_exempt, obey


def obeyed(report: Report, per_file: Mapping[str, tuple[str, ...]]) -> Report:
    """The report with the findings that the person set aside moved to `suppressed`.

    Args:
        per_file: rules, by name, code or family, to set aside in the files that match a pattern.
    """
    known = [directive for file, lines in report.sources.items() for directive in directives(lines, file)]
    if not known and not per_file:
        return report
    judged = {name for result in report.rules for name in (result.rule, result.code)}
    answer = obey(report.findings, known, judged)
    exempt = [f for f in answer.kept if is_exempt(f, per_file)]
    rules = {f.rule for f in (*answer.suppressed, *exempt)}
    gone = [f for f in answer.kept if f in exempt or f.explained_by in rules]
    findings = (*(f for f in answer.kept if f not in gone), *answer.notes)
    counts = {s: sum(f.severity == s and f.explained_by is None for f in findings) for s in SEVERITIES}
    worst = next((severity for severity in SEVERITIES if counts[severity]), None)
    return msgspec.structs.replace(
        report,
        summary=msgspec.structs.replace(report.summary, worst=worst, **counts),
        findings=findings,
        suppressed=(
            *report.suppressed,
            *answer.suppressed,
            *(msgspec.structs.replace(f, outcome="suppressed") for f in gone),
        ),
    )
