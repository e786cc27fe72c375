"""The look of all charts, and their rendering to SVG that is inert, small and readable in light and dark.

A chart is drawn in the colours below; the page's style sheet maps each of them to its variable, so that one SVG
serves both schemes and print. Nothing but shapes is left in it: no style, id, script or link.
"""

from __future__ import annotations

import json
import math
import re
from functools import cache
from typing import Any

import altair as alt
import vl_convert
from markupsafe import Markup, escape

INK = "#1d2327"
SOFT = "#5b6670"
LINE = "#d5dae0"
BAND = "#dfe3e8"
FIRST = "#0067a3"
SECOND = "#b35900"
WIDTH = 400
"""Pixels of a plot; with its axis it fits a phone nearly unscaled, and two stand side by side on a desk."""

_LONG_FRACTION = re.compile(r"(\.\d)\d+")
_GEOMETRY = re.compile(r'(?: d| transform| x[12]?| y[12]?)="[^"]*"')
_IDLE = re.compile(
    r'<path class="foreground" aria-hidden="true" d="" display="none"/>'
    r'|<path class="background" aria-hidden="true" d="[^"]*"[^>]*/>'
    r'| (?:class|role|aria-[a-z]+|pointer-events|font-family)="[^"]*"|(?<=<g) transform="translate\(0,0\)"'
)
"""What Vega adds for its own use and to say what a screen reader is told by the label of the whole chart."""
_HEAD = re.compile(r"<svg [^>]*?(?P<box> width=\"[^\"]*\" height=\"[^\"]*\" viewBox=\"[^\"]*\")>")
_CONFIG: dict[str, Any] = {
    "aria": False,
    "background": None,
    "view": {"stroke": None},
    "font": "system-ui, sans-serif",
    "axis": {
        "labelColor": SOFT,
        "titleColor": SOFT,
        "titleFontWeight": "normal",
        "labelFontSize": 12,
        "titleFontSize": 12,
        "gridColor": LINE,
        "domainColor": LINE,
        "tickColor": LINE,
    },
    "axisY": {"titlePadding": 12},
    "legend": {"labelColor": SOFT, "titleColor": SOFT, "labelFontSize": 12, "orient": "top", "title": None},
    "text": {"color": INK, "fontSize": 12},
}

Rows = list[dict[str, Any]]


def data(rows: Rows) -> alt.InlineData:
    """Rows for a chart; a number that is not finite becomes a gap."""
    return alt.InlineData(values=[{name: _drawable(value) for name, value in row.items()} for row in rows])


def _drawable(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def svg(chart: alt.TopLevelMixin, said: str) -> Markup:
    """The chart as an inline SVG element with a text alternative."""
    drawn = _rendered(chart.to_json(validate=False))
    return Markup('<svg role="img" aria-label="{}"').format(escape(said)) + Markup(drawn)


@cache
def _rendered(spec: str) -> str:
    """What follows the opening of the SVG element: its size and its content, coordinates to a tenth of a pixel."""
    full = vl_convert.vegalite_to_svg({**json.loads(spec), "config": _CONFIG})
    head = _HEAD.match(full)
    assert head is not None
    body = _GEOMETRY.sub(lambda m: _LONG_FRACTION.sub(r"\1", m[0]), _IDLE.sub("", full[head.end() :]))
    return f"{head['box']}>{body}"
