"""The forest plot of the trials of a finding, and the paired scores of a leak."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

import altair as alt
from markupsafe import Markup

from unstuck.finding import Trial
from unstuck.report.charts.draw import BAND, FIRST, INK, LINE, SECOND, SOFT, WIDTH, data, svg
from unstuck.report.charts.training import scale_of
from unstuck.report.words import clean, elide, number

ROW = 40
_LABEL = 64
"""Characters that fit over a row: its label and what came of it."""
_WORDS = {"refuted": "no difference", "inconclusive": "undecided"}


def forest_chart(trials: Sequence[Trial]) -> Markup | None:
    """A row an arm: dot = mean paired difference, bar = 95 % interval, tick = one seed, band = placebo."""
    known = [t for t in trials if t.effect is not None and t.interval is not None]
    arms = [t for t in known if t.role != "placebo"]
    if not arms:
        return None
    arms = [t for t in arms if t.metric == arms[-1].metric]  # the offered change is last
    placebo = placebo_of(trials)
    rows = [
        {
            "row": i + 0.62,
            "top": i + 0.18,
            "from": i + 0.4,
            "to": i + 0.84,
            "zero": 0.0,
            **({"start": placebo.interval[0], "stop": placebo.interval[1]} if placebo and placebo.interval else {}),
            "effect": t.effect,
            "low": (t.interval or (0, 0))[0],
            "high": (t.interval or (0, 0))[1],
            "said": _named(t),
            "sure": "yes" if t.outcome == "confirmed" else "no",
        }
        for i, t in enumerate(arms)
    ]
    ticks = [
        {"row": i + 0.62, "difference": difference, "sure": "yes" if t.outcome == "confirmed" else "no"}
        for i, t in enumerate(arms)
        for difference in differences(t)
    ]
    rows_down = alt.Scale(domain=[0, len(arms)], reverse=True, nice=False)
    y = alt.Y("row:Q", scale=rows_down, axis=None)
    colour = alt.Color("sure:N", scale=alt.Scale(domain=["yes", "no"], range=[FIRST, SOFT]), legend=None)
    metric = clean(arms[0].metric)
    x = alt.X("effect:Q", title=f"difference in {metric}", axis=alt.Axis(tickCount=5, format="~g", grid=False))
    base = alt.Chart(data(list(rows)))
    place = {"y": alt.Y("from:Q", scale=rows_down, axis=None), "y2": alt.Y2("to:Q")}
    layers = [
        *([base.mark_rect(fill=BAND).encode(x=alt.X("start:Q"), x2="stop:Q", **place)] if placebo else []),
        base.mark_rule(stroke=INK).encode(x=alt.X("zero:Q"), **place),
        base.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q"), x2="high:Q", y=y, color=colour),
        alt.Chart(data(list(ticks)))
        .mark_tick(thickness=1.2, size=13, orient="vertical")
        .encode(x="difference:Q", y=y, color=colour),
        base.mark_point(filled=True, size=70, opacity=1).encode(x=x, y=y, color=colour),
        base.mark_text(align="left").encode(x=alt.value(0), y=alt.Y("top:Q"), text="said:N"),
    ]
    chart = alt.layer(*layers).properties(width=WIDTH, height=ROW * len(arms))
    return svg(chart, f"Differences in {metric}, paired over seeds. " + " ".join(map(_told, arms)))


def placebo_of(trials: Sequence[Trial]) -> Trial | None:
    """The placebo that was scored as the arms of the forest plot are, if there is one."""
    arms = [t for t in trials if t.interval is not None and t.role != "placebo"]
    return next((t for t in trials if t.role == "placebo" and t.interval and t.metric == arms[-1].metric), None)


def price_chart(trials: Sequence[Trial]) -> Markup | None:
    """What a leak is worth: each seed's score as written and done honestly, joined; means in bold."""
    honest = next((t for t in reversed(trials) if t.role == "intervention" and t.value and t.baseline), None)
    if honest is None:
        return None
    ends = ("as written", "done honestly")
    pairs = list(zip(honest.baseline, honest.value, strict=True))
    rows = [
        {"seed": str(i), "end": end, "score": score}
        for i, pair in enumerate(pairs)
        for end, score in zip(ends, pair, strict=True)
    ]
    means = [sum(scores) / len(pairs) for scores in zip(*pairs, strict=True)]
    centre = [{"end": end, "score": m, "said": number(m)} for end, m in zip(ends, means, strict=True)]
    metric = clean(honest.metric)
    x = alt.X("end:N", sort=list(ends), title=None, axis=alt.Axis(labelAngle=0), scale=alt.Scale(padding=0.4))
    scale = scale_of([*honest.baseline, *honest.value])
    y = alt.Y("score:Q", title=metric, scale=scale, axis=alt.Axis(tickCount=5, format=".3~g"))
    seeds = alt.Chart(data(list(rows))).mark_line(stroke=LINE, point=False).encode(x=x, y=y, detail="seed:N")
    base = alt.Chart(data(list(centre))).encode(x=x, y=y)
    colour = alt.Color("end:N", scale=alt.Scale(domain=list(ends), range=[SECOND, FIRST]), legend=None)
    chart = alt.layer(
        seeds,
        base.mark_line(stroke=INK, strokeWidth=2),
        base.mark_point(filled=True, size=80, opacity=1).encode(color=colour),
        base.mark_text(dy=-14, fontWeight="bold").encode(text="said:N"),
    ).properties(width=WIDTH, height=170)
    return svg(chart, f"{metric}: {number(means[0])} as written, {number(means[1])} done honestly.")


def differences(trial: Trial) -> list[float]:
    """Value less baseline of each seed."""
    pairs = zip_longest(trial.value, trial.baseline)
    return [v - b for v, b in pairs if v is not None and b is not None]


def _named(trial: Trial) -> str:
    label, word = clean(trial.label), _word(trial) or number(trial.effect or 0.0, signed=True)
    room = _LABEL - len(word)
    short = label if len(label) <= room else label[: room - 1] + "…"
    return f"{short}: {word}"


def _word(trial: Trial) -> str:
    """What the interval says, where the difference alone would not say it."""
    if trial.outcome == "confirmed" and trial.sufficient is False:
        return f"{number(trial.effect or 0.0, signed=True)}, not enough alone"
    return _WORDS.get(trial.outcome, "")


def _told(trial: Trial) -> str:
    low, high = trial.interval or (0.0, 0.0)
    effect = number(trial.effect or 0.0, signed=True)
    between = f"{number(low, signed=True)} to {number(high, signed=True)}"
    word = "not enough alone" if trial.sufficient is False else _WORDS.get(trial.outcome, trial.outcome)
    return f"{elide(clean(trial.label), 200)}: {effect}, interval {between}, {word}."
