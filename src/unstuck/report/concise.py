"""The `concise` format, frozen: one line a finding, never wrapped. Editors and CI match on it."""

from __future__ import annotations

from unstuck.finding import Location, Report
from unstuck.report.selection import Cause, causes, fit_of
from unstuck.report.words import clean, home_of, near, place


def concise(report: Report, *, possible: bool = False) -> str:
    """`train.py:14:27: error OUT101 softmax-on-one-unit: what is wrong [proven]`; empty without findings."""
    return "".join(f"{_line(cause, report)}\n" for cause in causes(report, possible=possible))


def _line(cause: Cause, report: Report) -> str:
    finding = cause.finding
    name = f"{clean(finding.code)} {clean(finding.rule)}"
    where = _where(cause, report)
    return f"{where}: {finding.severity} {name}: {clean(finding.message)} [{cause.standing}]"


def _where(cause: Cause, report: Report) -> str:
    fit = fit_of(report, cause.finding.fit)
    spot: Location | None = cause.finding.location or (fit.location if fit else None)
    home = home_of(report.run)
    if spot is not None:
        return place(spot, home)
    return f"{near(report.run.script, home) or '<unknown>'}:1:1"
