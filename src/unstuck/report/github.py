"""GitHub annotations: workflow commands that mark the line in the pull request, one a cause."""

from __future__ import annotations

from unstuck.finding import Report, Severity
from unstuck.report.selection import Cause, causes, fit_of
from unstuck.report.words import clean, home_of, near

COMMANDS: dict[Severity, str] = {"error": "error", "warning": "warning", "note": "notice"}


def github(report: Report, *, possible: bool = False) -> str:
    """`::error file=train.py,line=14,col=27,title=OUT101 softmax-on-one-unit::what is wrong [proven]`."""
    return "".join(_command(cause, report) + "\n" for cause in causes(report, possible=possible))


def _command(cause: Cause, report: Report) -> str:
    finding = cause.finding
    fit = fit_of(report, finding.fit)
    spot = finding.location or (fit.location if fit else None)
    properties = {"title": f"{clean(finding.code)} {clean(finding.rule)}"}
    cell = ""
    if spot is not None:
        place = {"file": near(spot.file, home_of(report.run)), "line": str(spot.line), "col": str(spot.column)}
        if spot.end_line in (None, spot.line) and spot.end_column is not None:
            place["endColumn"] = str(spot.end_column)
        if spot.cell is not None:  # lines of a cell are not lines of the file
            place, cell = {"file": place["file"]}, f"cell {spot.cell}, line {spot.line}: "
        properties = {**place, **properties}
    inside = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    said = f"{cell}{clean(finding.message)} [{cause.standing}]"
    return f"::{COMMANDS[finding.severity]} {inside}::{_message(said)}"


def _message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
