"""Known findings: set aside by a baseline, which a team commits so that only what is new fails a build."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path

import msgspec

from unstuck.errors import UnstuckError
from unstuck.finding import SEVERITIES, Finding, Report
from unstuck.report.selection import causes

VERSION = 1


def set_aside(report: Report, fingerprints: Collection[str]) -> Report:
    """The report with these findings and their consequences suppressed, and its counts made again."""
    roots = {f.rule for f in report.findings if f.fingerprint in fingerprints}
    rest = {f.rule for f in report.findings if f.fingerprint not in fingerprints}

    def is_known(finding: Finding) -> bool:
        return finding.fingerprint in fingerprints or (
            finding.explained_by in roots and finding.explained_by not in rest
        )

    kept = tuple(f for f in report.findings if not is_known(f))
    gone = tuple(msgspec.structs.replace(f, outcome="suppressed") for f in report.findings if is_known(f))
    shown = [cause.finding.severity for cause in causes(msgspec.structs.replace(report, findings=kept), possible=True)]
    counts = {severity: shown.count(severity) for severity in SEVERITIES}
    worst = next((severity for severity in SEVERITIES if counts[severity]), None)
    summary = msgspec.structs.replace(report.summary, worst=worst, **counts)
    return msgspec.structs.replace(report, summary=summary, findings=kept, suppressed=(*report.suppressed, *gone))


def baseline_text(report: Report) -> str:
    """The baseline that knows every cause of a report."""
    rows = {
        f.fingerprint: {"rule": f.rule, "message": f.message}
        for f in (c.finding for c in causes(report, possible=True))
    }
    return json.dumps({"version": VERSION, "findings": rows}, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def read_baseline(path: Path) -> frozenset[str]:
    """The fingerprints of a baseline file.

    Raises:
        UnstuckError: E019 if it cannot be read.
    """
    try:
        return frozenset(json.loads(path.read_text(encoding="utf-8"))["findings"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no baseline"
        raise UnstuckError(
            "E019",
            f"the baseline {path} cannot be read ({reason})",
            expected="expected a file that --write-baseline made",
            do="write it anew with --write-baseline",
        ) from None
