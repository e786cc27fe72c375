"""Charts of the training itself: the loss with what happened when, and the person's own metrics below it."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Any

import altair as alt
from markupsafe import Markup

from unstuck.finding import Fit, Series
from unstuck.report.charts.draw import FIRST, INK, SECOND, SOFT, WIDTH, Rows, data, svg
from unstuck.report.words import clean, number

LOGARITHMIC = 30.0
"""Ratio of the highest to the lowest loss from which a straight axis would hide the lower part."""
FLAT = 0.05
"""Least height of an axis, relative to its values."""
FLAT_SHARE = 0.1
"""Least height of an axis of shares: accuracy that moves by less hardly moves."""
FEW = 30
"""Points up to which each is drawn for itself; a line of more is noise to the eye and gets its running mean."""
WINDOW = 10
"""The running mean takes one part in so many of the points."""
TRAINING, VALIDATION, CONSTANT = "training", "validation", "best constant answer"
_PARTS = alt.Scale(domain=[TRAINING, VALIDATION, CONSTANT], range=[FIRST, SECOND, SOFT])


def loss_chart(fit: Fit) -> Markup | None:
    """Training loss a step, validation loss an epoch, the best constant answer, numbered marks; None without steps."""
    shown = [s for s in fit.series if s.name in ("loss", "val_loss") and any(v is not None for v in s.values)]
    if not shown:
        return None
    rows = [row for s in shown for row in _rows(s, VALIDATION if s.name == "val_loss" else TRAINING)]
    values = [row["value"] for row in rows if row["value"] is not None]
    constant = fit.constant_loss if fit.constant_loss is not None and _near(fit.constant_loss, values) else None
    levels = values if constant is None else [*values, constant]
    parts = [*dict.fromkeys(row["part"] for row in rows), *([] if constant is None else [CONSTANT])]
    layers: list[Any] = []
    if noisy(fit):
        steps = [row for row in rows if row["part"] == TRAINING]
        layers.append(_lines(steps, "loss", scale_of(levels), parts, faint=True))
        rows = [row for s in shown for row in _running_mean(s)]
    layers.append(_lines(rows, "loss", scale_of(levels), parts))
    if constant is not None:
        level = alt.Chart(data([{"value": constant, "part": CONSTANT}])).mark_rule(strokeDash=[4, 3])
        layers.append(level.encode(y="value:Q", color=_colour(parts)))
    layers += _marks(fit)
    return svg(alt.layer(*layers).properties(width=WIDTH, height=200), _said(fit, shown))


def noisy(fit: Fit) -> bool:
    """Whether the training loss has so many points that its chart shows each pale, and their running mean bold."""
    return any(s.name == "loss" and len(s.values) > FEW for s in fit.series)


def metric_charts(fit: Fit) -> list[Markup]:
    """One chart for each metric that Keras logged, training and validation together."""
    own = [s for s in fit.series if s.name not in ("loss", "val_loss")]
    names = dict.fromkeys(s.name.removeprefix("val_") for s in own)
    charts = []
    for name in names:
        pair = [s for s in own if s.name in (name, f"val_{name}") and any(v is not None for v in s.values)]
        rows = [row for s in pair for row in _rows(s, VALIDATION if s.name != name else TRAINING)]
        if rows:
            scale = scale_of([row["value"] for row in rows if row["value"] is not None])
            parts = list(dict.fromkeys(row["part"] for row in rows))
            chart = _lines(rows, clean(name), scale, parts).properties(width=WIDTH, height=110)
            charts.append(svg(chart, f"{clean(name)} by step. " + " ".join(map(_course, pair))))
    return charts


def scale_of(values: Sequence[float]) -> alt.Scale:
    """An axis for these values: logarithmic for positive ones that differ by orders of magnitude.

    A straight axis spans at least a share of the values themselves, so that what is flat looks flat.
    """
    if not values:
        return alt.Scale()
    low, high = min(values), max(values)
    if low > 0 and high > LOGARITHMIC * low:
        return alt.Scale(type="log", domain=[low, high], nice=True)
    least = FLAT_SHARE if 0 <= low and high <= 1 and high > FLAT_SHARE else FLAT * max(abs(low), abs(high))
    room = max(0.0, (least - (high - low)) / 2)
    return alt.Scale(domain=[low - room, high + room], zero=False, nice=True)


def _rows(series: Series, part: str) -> Rows:
    return [
        {"step": step, "value": value, "part": part} for step, value in zip(series.steps, series.values, strict=True)
    ]


def _running_mean(series: Series) -> Rows:
    """The mean of what lies around each point of a step-wise loss; other series are their own."""
    if series.name != "loss":
        return _rows(series, VALIDATION)
    reach = max(1, len(series.values) // (2 * WINDOW))
    near = [series.values[max(0, i - reach) : i + reach + 1] for i in range(len(series.values))]
    middle = [
        None if value is None else statistics.fmean(v for v in around if v is not None)
        for value, around in zip(series.values, near, strict=True)
    ]
    return [{"step": s, "value": v, "part": TRAINING} for s, v in zip(series.steps, middle, strict=True)]


def _colour(parts: Sequence[str]) -> alt.Color:
    legend = alt.Legend(symbolType="stroke", values=list(parts)) if len(parts) > 1 else None
    return alt.Color("part:N", scale=_PARTS, legend=legend)


def _lines(rows: Rows, title: str, scale: alt.Scale, parts: Sequence[str], *, faint: bool = False) -> alt.Chart:
    few = max(sum(row["part"] == part for row in rows) for part in parts) <= FEW
    powers: dict[str, Any] = {"values": _powers(scale)} if scale.to_dict().get("type") == "log" else {"tickCount": 5}
    lines: alt.Chart = (
        alt.Chart(data(rows))
        .mark_line(
            strokeWidth=1 if faint else 1.6,
            strokeOpacity=0.35 if faint else 1,
            point=alt.OverlayMarkDef(size=14) if few else False,
        )
        .encode(
            x=alt.X("step:Q", title="step", axis=alt.Axis(grid=False, tickCount=5)),
            y=alt.Y("value:Q", title=title, scale=scale, axis=alt.Axis(format=".3~g", **powers)),
            color=_colour(parts),
        )
    )
    return lines


def _powers(scale: alt.Scale) -> list[float]:
    """The powers of ten that a logarithmic axis is marked at: all, or every second, third, ... of many."""
    low, high = scale.to_dict()["domain"]
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    return [10.0**power for power in range(first, last + 1, max(1, (last - first) // 5))]


def _marks(fit: Fit) -> list[Any]:
    if not fit.marks:
        return []
    rows = [{"step": m.step, "number": str(i)} for i, m in enumerate(fit.marks, 1)]
    base = alt.Chart(data(rows)).encode(x="step:Q")
    rule = base.mark_rule(stroke=INK, strokeDash=[2, 2])
    return [rule, base.mark_text(baseline="bottom", dy=-3, color=INK).encode(y=alt.value(0), text="number:N")]


def _near(constant: float, values: list[float]) -> bool:
    """Whether the level can be drawn without squeezing the curve: within ten of its spreads, or of its magnitude."""
    low, high = min(values), max(values)
    return low / 10 <= constant <= high * 10 if low > 0 else abs(constant - high) <= 10 * (high - low)


def _said(fit: Fit, shown: list[Series]) -> str:
    turns = " ".join(f"At step {m.step} {clean(m.text)}." for m in fit.marks)
    return f"Loss by step. {' '.join(map(_course, shown))} {turns}".strip()


def _course(series: Series) -> str:
    finite = [v for v in series.values if v is not None]
    name = "validation" if series.name.startswith("val_") else "training"
    lost = "; it stops being a number" if series.values and series.values[-1] is None else ""
    return f"{name} from {number(finite[0])} to {number(finite[-1])}{lost}."
