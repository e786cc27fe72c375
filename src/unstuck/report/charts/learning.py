"""Learning curves of the trials: a small panel an arm, a line a seed, all on one scale where that shows something."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt
from markupsafe import Markup

from unstuck.finding import Trial
from unstuck.report.charts.draw import FIRST, SECOND, SOFT, data, svg
from unstuck.report.charts.training import scale_of
from unstuck.report.trials import winner_of
from unstuck.report.words import clean, count, number

APART = 1000.0
"""Factor between the losses of two arms from which one scale would flatten both; then each panel has its own."""
SEEDS = 6
"""Curves a panel holds before they hide one another."""
SHORT = 3
"""Points of a curve that would be lost as a line."""


@dataclass(frozen=True)
class Panel:
    caption: str
    chart: Markup


@dataclass(frozen=True)
class Panels:
    """`shared`: all panels have one loss axis."""

    panels: tuple[Panel, ...]
    shared: bool


def learning_charts(trials: Sequence[Trial]) -> Panels:
    """A panel for each arm whose curves were kept."""
    arms = [t for t in trials if any(v is not None for curve in t.curves for v in curve)]
    levels = [[v for curve in t.curves for v in curve if v is not None] for t in arms]
    every = [v for level in levels for v in level]
    typical = [sorted(level)[len(level) // 2] for level in levels]
    shared = bool(typical) and (min(typical) > 0 and max(typical) < APART * min(typical))
    best = winner_of(trials)
    panels = []
    for trial, level in zip(arms, levels, strict=True):
        colour = FIRST if trial is best else SECOND if trial.role == "baseline" else SOFT
        panels.append(Panel(_caption(trial), _panel(trial, every if shared else level, colour)))
    return Panels(tuple(panels), shared)


def _panel(trial: Trial, values: Sequence[float], colour: str) -> Markup:
    rows = [
        {"at": _epoch(i, len(curve), trial.epochs), "loss": value, "seed": str(seed)}
        for seed, curve in enumerate(trial.curves[:SEEDS])
        for i, value in enumerate(curve)
    ]
    short = max(len(curve) for curve in trial.curves) <= SHORT
    chart = (
        alt.Chart(data(list(rows)))
        .mark_line(stroke=colour, strokeWidth=1.2, point=alt.OverlayMarkDef(size=10, fill=colour) if short else False)
        .encode(
            x=alt.X("at:Q", title=None, axis=alt.Axis(grid=False, tickCount=4, tickMinStep=1)),
            y=alt.Y(
                "loss:Q", title=None, scale=scale_of(values), axis=alt.Axis(tickCount=4, format=".2~g", minExtent=36)
            ),
            detail="seed:N",
        )
        .properties(width=150, height=90)
    )
    return svg(chart, f"Training loss by epoch, {clean(trial.label)}: {_course(trial)}")


def _epoch(index: int, points: int, epochs: int) -> float:
    """The epoch a kept point stands for; a curve is thinned evenly."""
    whole = max(epochs, points)
    return 1 + index * (whole - 1) / max(1, points - 1)


def _caption(trial: Trial) -> str:
    label = clean(trial.label)
    named = f"placebo: {label}" if trial.role == "placebo" and not label.startswith("placebo") else label
    return f"{named} ({count(len(trial.curves), 'seed')})"


def _course(trial: Trial) -> str:
    ends = [(c[0], c[-1]) for c in trial.curves if c]
    told = [f"{number(a)} to {number(b)}" for a, b in ends if a is not None and b is not None]
    return "; ".join(told) or "not a number"
