"""HTML: the page that stands alone in one file, the fragment for notebooks. The templates escape all text."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import DictLoader, Environment, StrictUndefined, Template
from markupsafe import Markup, escape

from unstuck.finding import Finding, Fit, Report
from unstuck.report.as_json import encoded
from unstuck.report.charts.forest import forest_chart, placebo_of, price_chart
from unstuck.report.charts.layers import extent, layer_chart
from unstuck.report.charts.learning import Panels, learning_charts
from unstuck.report.charts.training import loss_chart, metric_charts, noisy
from unstuck.report.diff import changes, diff_lines
from unstuck.report.fits import fit_name, where_found
from unstuck.report.frame import frame, gutter_of
from unstuck.report.selection import Cause, causes, fit_of
from unstuck.report.summary import checked_line, found_line
from unstuck.report.terminal import applicability
from unstuck.report.trials import tables, trials_of, winner_of, words_on_skill
from unstuck.report.words import clean, duration, home_of, mean, near, number, place

CAP = 1_000_000
"""Bytes of a page. One that passes them is made again without the charts that take most."""
OPEN = 3
"""Causes that are unfolded when the page opens."""
CHARTED = 6
"""Fits that are drawn; a cross-validation makes many that look alike."""
MAPS = {
    "dead share": "Dead share: units that answer 0 to every row. A dead unit gets no gradient.",
    "gradient norm": "Gradient norm of each weight matrix (root mean square), by order of magnitude.",
    "update ratio": "Update ratio: change a step, relative to the weights; about 1e-3 is usual, 0 is frozen.",
}
LEAK = "LEK"
_TICKED = re.compile(r"`([^`]+)`")
_NAMES = ("page.html.jinja", "fragment.html.jinja", "page.css", "page.js")
_OUTCOMES = ("cleared", "refuted", "inconclusive", "not-applicable", "not-checked", "suppressed", "crashed")
_DETAILS = (
    ("learning", "layers", ""),
    ("layers", "The learning curves are left out to keep this page small; report.json in the run folder has them."),
    ("", "Learning curves and layer maps are left out to keep this page small; report.json has them."),
)


def page(report: Report) -> str:
    """One file without network or outside parts. It carries the report as JSON for machines."""
    made = ""
    for *details, said in _DETAILS:
        made = _page(report, tuple(details), said)
        if len(made.encode()) <= CAP:
            break
    return made


def _page(report: Report, details: tuple[str, ...], thinner: str) -> str:
    shown = causes(report, possible=True)
    style, script = _read("page.css"), _read("page.js")
    facts = _facts(report, shown)
    facts["causes"] = [
        {**cause, **_drawn(cause["finding"], report, "learning" in details), "open": i < OPEN}
        for i, cause in enumerate(facts["causes"])
    ]
    troubled = {index for cause in shown for index in cause.fits} or {f.index for f in report.fits}
    charted = [f.index for f in report.fits if f.index in troubled][:CHARTED]
    facts["fits"] = [
        {
            "name": fit_name(fit.index, report),
            "fit": fit,
            "open": fit.index in charted[:1],
            **(_training(fit, "layers" in details) if fit.index in charted else {"loss": None, "maps": ()}),
        }
        for fit in report.fits
    ]
    return _template("page.html.jinja").render(
        facts,
        style=Markup(style),
        style_hash=_digest(style),
        script=Markup(script),
        script_hash=_digest(script),
        maps=MAPS,
        extent=extent,
        thinner=thinner,
        outcomes=[(o, [r for r in report.rules if r.outcome == o]) for o in _OUTCOMES],
        data=Markup(_inert(encoded(report).decode())),
    )


def _drawn(finding: Finding, report: Report, learning: bool) -> dict[str, Any]:  # noqa: FBT001
    trials = trials_of(finding, report.experiments)
    forest = forest_chart(trials)
    return {
        "forest": forest,
        "placebo": forest is not None and placebo_of(trials) is not None,
        "price": price_chart(trials) if finding.code.startswith(LEAK) else None,
        "learning": learning_charts(trials) if learning else Panels((), shared=True),
    }


def _training(fit: Fit, layers: bool) -> dict[str, Any]:  # noqa: FBT001
    return {
        "loss": loss_chart(fit),
        "noisy": noisy(fit),
        "metrics": metric_charts(fit),
        "maps": [(kept, layer_chart(kept)) for kept in fit.layers] if layers else (),
    }


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def fragment(report: Report) -> str:
    """Short HTML for notebooks: the verdict, each cause with its evidence and trials folded away, the loss curve.

    It has its own light ground, because a page cannot know the colours of the notebook around it.
    """
    facts = _facts(report, causes(report))
    for cause in facts["causes"]:
        cause["forest"] = forest_chart(trials_of(cause["finding"], report.experiments))
    loss = next((chart for fit in report.fits[:1] if (chart := loss_chart(fit)) is not None), None)
    return _template("fragment.html.jinja").render(facts, style=Markup(_read("fragment.css")), loss=loss)


def _facts(report: Report, shown: tuple[Cause, ...]) -> dict[str, Any]:
    return {
        "report": report,
        "sentence": clean(report.summary.sentence) or "No verdict was reached.",
        "title": near(report.run.script, home_of(report.run)) or "a run",
        "closing": f"{found_line(report, shown)} {checked_line(report, shown)}",
        "causes": [_cause(cause, report) for cause in shown],
        "skill": words_on_skill(report.experiments).capitalize(),
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
        "anchor": _anchor(finding),
        "gain": _gain(finding, report),
        "where": place(spot, home) if spot else "",
        "fits": where_found(cause.fits, report) if len(report.fits) > 1 else "",
        "frame": "\n".join(frame(finding, report.sources, home=home, width=100)),
        "tables": tables(trials_of(finding, report.experiments)),
        "diff": _diff(finding, report, home),
        "applicability": applicability(finding, finding.fix, report) if finding.fix else "",
        "steps": [(s.text, place(s.location, home) if s.location else "") for s in finding.flow],
    }


def _gain(finding: Finding, report: Report) -> str:
    """What the offered change did in the trials: `tried: held-out skill from 0.000 to 0.857`."""
    best = winner_of(trials_of(finding, report.experiments))
    if best is None or not best.baseline:
        return ""
    word = "done honestly" if finding.code.startswith(LEAK) else "tried"
    return f"{word}: {clean(best.metric)} from {number(mean(best.baseline))} to {number(mean(best.value))}"


def _anchor(finding: Finding) -> str:
    """A name for permalinks that says the rule and stays the same when the run is judged again."""
    return re.sub(r"[^a-z0-9]+", "-", f"{clean(finding.rule)[:60]}-{finding.fingerprint}".lower())


def _diff(finding: Finding, report: Report, home: str) -> list[tuple[str, str, str]]:
    """The lines of the change: the sign that says how to show each, the line, its text alone."""
    found = changes(finding.fix.edits, report.sources) if finding.fix else None
    gutter = gutter_of(finding)
    lines = diff_lines(found or [], gutter, home=home)
    return [(line[gutter + 1 : gutter + 2], line, line[gutter + 3 :]) for line in lines]


def _inert(json: str) -> str:
    """JSON that can end no script element and open no comment."""
    for character in "<>&\u2028\u2029":
        json = json.replace(character, f"\\u{ord(character):04x}")
    return json


def _said(text: str) -> Markup:
    """A sentence of the report, with what stands in backticks as code."""
    return Markup(_TICKED.sub(r"<code>\1</code>", str(escape(clean(text)))))


def _read(name: str) -> str:
    return files("unstuck.report").joinpath(name).read_text(encoding="utf-8")


@cache
def _template(name: str) -> Template:
    loader = DictLoader({n: _read(n) for n in _NAMES})
    settings = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    settings.filters["clean"] = clean
    settings.filters["said"] = _said
    return settings.get_template(name)
