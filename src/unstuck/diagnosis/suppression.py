"""Comments of the person's that set a finding aside: beside the layer, the `compile` or the `fit` it points at."""

from __future__ import annotations

import msgspec

from unstuck.finding import SEVERITIES, Report
from unstuck.source.suppressions import directives, obey


def obeyed(report: Report) -> Report:
    """The report with the findings that a comment in the recorded source suppresses moved to `suppressed`."""
    known = [directive for file, lines in report.sources.items() for directive in directives(lines, file)]
    if not known:
        return report
    judged = {name for result in report.rules for name in (result.rule, result.code)}
    answer = obey(report.findings, known, judged)
    rules = {finding.rule for finding in answer.suppressed}
    findings = tuple(f for f in (*answer.kept, *answer.notes) if f.explained_by not in rules)
    echoes = tuple(msgspec.structs.replace(f, outcome="suppressed") for f in answer.kept if f.explained_by in rules)
    counts = {s: sum(f.severity == s and f.explained_by is None for f in findings) for s in SEVERITIES}
    worst = next((severity for severity in SEVERITIES if counts[severity]), None)
    return msgspec.structs.replace(
        report,
        summary=msgspec.structs.replace(report.summary, worst=worst, **counts),
        findings=findings,
        suppressed=(*report.suppressed, *answer.suppressed, *echoes),
    )
