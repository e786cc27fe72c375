"""Heat maps of the layers over the steps: share of dead units, gradient norm, update ratio."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import altair as alt
from markupsafe import Markup

from unstuck.finding import LayerMap
from unstuck.report.charts.draw import FIRST, INK, WIDTH, data, svg
from unstuck.report.words import clean, number

ROW = 22
NUMBERED = 9
"""Columns up to which each cell has room for its value."""
_SHARES = ("dead share",)
DECADE = 1.0
"""Orders of magnitude that the colours span at least: what is nearly alike looks alike."""
_LABEL = 24


def layer_chart(kept: LayerMap) -> Markup:
    """A row a layer from the input down, a column a kept step; the stronger the colour, the larger the value."""
    names = _distinct([_short(name) for name in kept.layers])
    shares = kept.measure in _SHARES
    strength = _strength([v for row in kept.values for v in row if v is not None], straight=shares)
    rows = [
        {"layer": name, "step": f"{step:,}", "strength": _opacity(strength(value)), "said": _value(value, share=shares)}
        for name, values in zip(names, kept.values, strict=True)
        for step, value in zip(kept.steps, values, strict=True)
        if value is not None
    ]
    columns = [f"{step:,}" for step in kept.steps]
    few = len(columns) <= NUMBERED
    labels = alt.Axis(labelAngle=0 if few else -60, ticks=False, labelOverlap=True, domain=False)
    base = alt.Chart(data(list(rows))).encode(
        x=alt.X("step:N", sort=columns, title="step", axis=labels, scale=alt.Scale(padding=0.04)),
        y=alt.Y("layer:N", sort=names, title=None, axis=alt.Axis(ticks=False, domain=False, labelLimit=170)),
    )
    cells = base.mark_rect(fill=FIRST).encode(fillOpacity=alt.FillOpacity("strength:Q", scale=None))
    layers = [cells, base.mark_text(color=INK, fontSize=11).encode(text="said:N")] if few else [cells]
    chart = alt.layer(*layers).properties(width=WIDTH - 60, height=ROW * len(names))
    return svg(chart, _said(kept, shares=shares))


def extent(kept: LayerMap) -> str:
    """What the colours stand for where the cells have no room for numbers: `Palest 2e-5, strongest 0.31.`"""
    values = [v for row in kept.values for v in row if v is not None]
    if len(kept.steps) <= NUMBERED or not values:
        return ""
    low, high = (_value(v, share=kept.measure in _SHARES) for v in (min(values), max(values)))
    return f"{low} everywhere." if low == high else f"Palest {low}, strongest {high}."


def _strength(values: Sequence[float], *, straight: bool) -> Callable[[float], float]:
    """From a value to 0..1: shares as they are, others by their order of magnitude; 0 stays without colour."""
    if straight:
        return lambda value: value
    logs = [math.log10(v) for v in values if v > 0]
    low, high = min(logs, default=0.0), max(logs, default=0.0)
    room = max(0.0, (DECADE - (high - low)) / 2)
    low, high = low - room, high + room
    return lambda value: 0.0 if value <= 0 else 0.15 + 0.85 * (math.log10(value) - low) / (high - low)


def _opacity(strength: float) -> float:
    """From 0..1 to what stays readable under a number; a cell of 0 is still seen as a cell."""
    return round(0.05 + 0.55 * strength, 2)


def _value(value: float, *, share: bool) -> str:
    if share:
        return f"{100 * value:.0f} %"
    if value == 0:
        return "0"
    return f"{value:.2g}" if 1e-2 <= value < 1e3 else f"{value:.0e}".replace("e-0", "e-").replace("e+0", "e+")


def _short(name: str) -> str:
    name = clean(name).removesuffix("/kernel")
    return name if len(name) <= _LABEL else "…" + name[1 - _LABEL :]


def _distinct(names: Sequence[str]) -> list[str]:
    """Names that may occur twice, told apart by a number."""
    found: list[str] = []
    for name in names:
        again = sum(other == name or other.startswith(f"{name} ·") for other in found)
        found.append(f"{name} ·{again + 1}" if again else name)
    return found


def _said(kept: LayerMap, *, shares: bool) -> str:
    ends = []
    for name, values in zip(kept.layers, kept.values, strict=True):
        known = [v for v in values if v is not None]
        if known:
            shown = (_value(known[0], share=True), _value(known[-1], share=True)) if shares else ()
            first, last = shown or (number(known[0]), number(known[-1]))
            ends.append(f"{_short(name)} from {first} to {last}")
    return f"{clean(kept.measure)} by layer and step: " + "; ".join(ends)
