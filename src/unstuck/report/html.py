"""HTML: the page that stands alone in one file, the fragment for notebooks. The templates escape all text."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import DictLoader, Environment, StrictUndefined, Template
from markupsafe import Markup

from unstuck.finding import Finding, Report
from unstuck.report.as_json import to_json
from unstuck.report.diff import changes, diff_lines
from unstuck.report.fits import fit_name, where_found
from unstuck.report.frame import frame, gutter_of
from unstuck.report.selection import Cause, causes, fit_of
from unstuck.report.summary import checked_line, found_line
from unstuck.report.terminal import APPLICABILITY
from unstuck.report.trials import tables, trials_of
from unstuck.report.words import clean, duration, home_of, near, place

_NAMES = ("page.html.jinja", "fragment.html.jinja", "page.css")
_OUTCOMES = ("cleared", "refuted", "inconclusive", "not-applicable", "not-checked", "suppressed", "crashed")


def page(report: Report) -> str:
    """One file without network, scripts or outside parts. It carries the report as JSON for machines."""
    shown = causes(report, possible=True)
    style = _read("page.css")
    return _template("page.html.jinja").render(
        _facts(report, shown),
        style=Markup(style),
        style_hash=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
        outcomes=[(o, [r for r in report.rules if r.outcome == o]) for o in _OUTCOMES],
        data=Markup(_inert(to_json(report))),
    )


def fragment(report: Report) -> str:
    """Short HTML: the verdict, and each cause with its evidence folded away."""
    return _template("fragment.html.jinja").render(_facts(report, causes(report)))


def _facts(report: Report, shown: tuple[Cause, ...]) -> dict[str, Any]:
    return {
        "report": report,
        "sentence": clean(report.summary.sentence) or "No verdict was reached.",
        "title": near(report.run.script, home_of(report.run)) or "a run",
        "closing": f"{found_line(report, shown)} {checked_line(report, shown)}",
        "causes": [_cause(cause, report) for cause in shown],
        "fits": [(fit_name(f.index, report), f) for f in report.fits],
        "clean": clean,
        "duration": duration,
    }


def _cause(cause: Cause, report: Report) -> dict[str, Any]:
    finding = cause.finding
    home = home_of(report.run)
    fit = fit_of(report, finding.fit)
    spot = finding.location or (fit.location if fit else None)
    return {
        "finding": finding,
        "standing": cause.standing,
        "where": place(spot, home) if spot else "",
        "fits": where_found(cause.fits, report) if len(report.fits) > 1 else "",
        "frame": "\n".join(frame(finding, report.sources, home=home, width=100)),
        "tables": tables(trials_of(finding, report.experiments)),
        "diff": _diff(finding, report, home),
        "applicability": APPLICABILITY[finding.fix.applicability] if finding.fix else "",
        "steps": [(s.text, place(s.location, home) if s.location else "") for s in finding.flow],
    }


def _diff(finding: Finding, report: Report, home: str) -> list[tuple[str, str]]:
    """The lines of the change with the sign that says how to show each."""
    found = changes(finding.fix.edits, report.sources) if finding.fix else None
    gutter = gutter_of(finding)
    return [(line[gutter + 1 : gutter + 2], line) for line in diff_lines(found or [], gutter, home=home)]


def _inert(json: str) -> str:
    """JSON that can end no script element and open no comment."""
    for character in "<>&\u2028\u2029":
        json = json.replace(character, f"\\u{ord(character):04x}")
    return json


def _read(name: str) -> str:
    return files("unstuck.report").joinpath(name).read_text(encoding="utf-8")


@cache
def _template(name: str) -> Template:
    loader = DictLoader({n: _read(n) for n in _NAMES})
    settings = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return settings.get_template(name)
