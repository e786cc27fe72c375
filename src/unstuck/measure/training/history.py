"""What happened when: the loss and Keras's logs over the steps, each layer at the kept steps, and turns in words."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import numpy as np

from unstuck.finding import LayerMap, Mark, Series
from unstuck.measure.case import Case
from unstuck.measure.replay import Moment, Replay
from unstuck.measure.training.curve import Curve

POINTS = 200
"""Points a series is thinned to: a chart of the report is about 600 pixels wide, and every stretch keeps two."""
MOMENTS = 40
"""Columns of a layer map at most; 20 layers then stay under 1,000 cells a map."""
SILENT = 0.999
"""Share of units that are 0 for every row from which a layer passes nothing on."""
RISEN = 0.05
"""Relative rise of the validation loss above its lowest value that is worth a mark."""
MOST_LOGS = 8
"""Logged quantities that are kept; a model with many outputs logs dozens."""


@dataclass(frozen=True)
class History:
    """The course of a fit, thinned for people to look at; see `finding.Fit`."""

    series: tuple[Series, ...]
    layers: tuple[LayerMap, ...]
    marks: tuple[Mark, ...]

    @classmethod
    def of(cls, case: Case) -> Self:
        curve, replay = case.find(Curve), case.find(Replay)
        moments = _spaced(replay.moments) if replay else ()
        return cls(
            series=_series(case),
            layers=tuple(m for m in (_dead(moments), _gradients(moments), _updates(case, moments)) if m is not None),
            marks=tuple(sorted(_marks(case, curve, moments), key=lambda m: m.step)),
        )


def thinned(steps: np.ndarray, values: np.ndarray, points: int = POINTS) -> tuple[np.ndarray, np.ndarray]:
    """The series itself, or the lowest and highest value of each of `points / 2` stretches, in their order.

    A stretch that holds a value that is not finite gives that one in place of its lowest.

    >>> import numpy as np
    >>> steps, values = thinned(np.arange(6), np.array([1.0, 9, 2, 5, 4, 7]), 4)
    >>> steps.tolist(), values.tolist()
    ([0, 1, 4, 5], [1.0, 9.0, 4.0, 7.0])
    """
    if len(values) <= points:
        return steps, values
    chosen: list[int] = []
    for part in np.array_split(np.arange(len(values)), points // 2):
        finite = np.isfinite(values[part])
        high = part[np.argmax(np.where(finite, values[part], -np.inf))]
        low = part[np.argmin(np.where(finite, values[part], np.inf))] if finite.all() else part[np.argmin(finite)]
        chosen += sorted({int(low), int(high)})
    return steps[chosen], values[chosen]


def _series(case: Case) -> tuple[Series, ...]:
    table = case.fit.losses
    found = [_one("loss", table[:, 1], table[:, 2])] if len(table) else []
    names = dict.fromkeys(name for epoch in case.fit.epochs for name in epoch["logs"] if name != "loss")
    for name in list(names)[:MOST_LOGS]:
        seen = [(e["step"], e["logs"][name]) for e in case.fit.epochs if name in e["logs"]]
        values = np.array([np.nan if value is None else value for _, value in seen], dtype=float)
        found.append(_one(name, np.array([step for step, _ in seen]), values))
    return tuple(found)


def _one(name: str, steps: np.ndarray, values: np.ndarray) -> Series:
    kept, shown = thinned(steps, values)
    return Series(name=name, steps=tuple(int(s) for s in kept), values=tuple(map(_known, shown)))


def _spaced(moments: tuple[Moment, ...]) -> tuple[Moment, ...]:
    chosen = np.unique(np.linspace(0, len(moments) - 1, min(len(moments), MOMENTS)).round().astype(int))
    return tuple(moments[i] for i in chosen)


def _dead(moments: tuple[Moment, ...]) -> LayerMap | None:
    """Share of units that are 0 for every probe row, of the layers that can be silent at all."""
    names = dict.fromkeys(
        layer.name for m in moments for layer in m.layers if layer.activation == "relu" or layer.dead_share > 0
    )
    rows = [
        tuple(next((_known(a.dead_share) for a in m.layers if a.name == name), None) for m in moments) for name in names
    ]
    return _map("dead share", list(names), moments, rows)


def _gradients(moments: tuple[Moment, ...]) -> LayerMap | None:
    """Root mean square of each weight matrix's gradient."""
    paths = [v.path for v in moments[0].variables if not v.path.endswith("bias")] if moments else []
    rows = [tuple(_known(_of(m, path)) for m in moments) for path in paths]
    return _map("gradient norm", paths, moments, rows)


def _of(moment: Moment, path: str) -> float:
    return next((v.gradient for v in moment.variables if v.path == path), float("nan"))


def _updates(case: Case, moments: tuple[Moment, ...]) -> LayerMap | None:
    """Change of each weight matrix since the moment before, a step, relative to its size.

    Weights that go back and forth in between move more than this shows: it is a lower bound of the usual ratio.
    """
    described = case.fit.body["model"].get("variables") or []
    places = [(i, v["path"]) for i, v in enumerate(described) if v["trainable"] and not str(v["path"]).endswith("bias")]
    if len(moments) < 2 or not places:
        return None
    kept = [case.run.weights(case.fit, m.step) for m in moments]
    if not all(len(arrays) == len(described) for arrays in kept):
        return None
    rows = []
    for i, _ in places:
        row: list[float | None] = []
        for (before, after), (a, b) in zip(pairwise(moments), pairwise(kept), strict=True):
            size = _rms(a[i])
            with np.errstate(invalid="ignore", over="ignore"):  # weights that left the numbers
                change = _rms(b[i] - a[i]) / max(1, after.step - before.step)
            row.append(_known(change / size) if size > 0 else None)
        rows.append(tuple(row))
    model = f"{case.fit.body['model'].get('name')}/"
    return _map("update ratio", [str(path).removeprefix(model) for _, path in places], moments[1:], rows)


def _map(
    measure: str, layers: list[str], moments: tuple[Moment, ...], rows: list[tuple[float | None, ...]]
) -> LayerMap | None:
    if not layers or not any(v is not None for row in rows for v in row):
        return None
    return LayerMap(measure=measure, layers=tuple(layers), steps=tuple(m.step for m in moments), values=tuple(rows))


def _marks(case: Case, curve: Curve | None, moments: tuple[Moment, ...]) -> list[Mark]:
    marks = [*_silences(moments), *_rates(case)]
    if curve is not None and curve.non_finite_step is not None:
        marks.append(Mark(step=curve.non_finite_step, text="the loss stops being a number"))
    held = [(e["step"], _number(e["logs"]["val_loss"])) for e in case.fit.epochs if "val_loss" in e["logs"]]
    finite = [(step, value) for step, value in held if np.isfinite(value)]
    if finite:
        step, lowest = min(finite, key=lambda pair: pair[1])
        if finite[-1][1] > lowest + RISEN * abs(lowest):
            marks.append(Mark(step=step, text="validation loss is lowest here and rises afterwards"))
    end = case.fit.end.get("status")
    if end != "completed" and len(case.fit.losses):
        marks.append(Mark(step=int(case.fit.losses[-1, 1]), text=f"training ends: {end or 'killed'}"))
    return marks


def _silences(moments: tuple[Moment, ...]) -> list[Mark]:
    """Where a layer falls silent, or every gradient vanishes, for good."""
    marks = []
    for name in [layer.name for layer in moments[-1].layers] if moments else []:
        shares = [next((a.dead_share for a in m.layers if a.name == name), 0.0) for m in moments]
        since = _since([share >= SILENT for share in shares])
        if since is not None:
            marks.append(Mark(step=moments[since].step, text=f"all units of {name} are silent"))
    none = [bool(m.variables) and all(v.gradient == 0 for v in m.variables) for m in moments]
    since = _since(none)
    if since is not None:
        marks.append(Mark(step=moments[since].step, text="every gradient is exactly 0"))
    return marks


def _since(states: list[bool]) -> int | None:
    """The index from which a state holds to the end."""
    if not states or not states[-1]:
        return None
    return len(states) - next((i for i, s in enumerate(reversed(states)) if not s), len(states))


def _rates(case: Case) -> list[Mark]:
    seen = [(e["step"], e["logs"]["learning_rate"]) for e in case.fit.epochs if "learning_rate" in e["logs"]]
    changes = [(a[0], b[1]) for a, b in pairwise(seen) if a[1] != b[1]]
    if len(changes) > 5:  # a schedule: its curve is among the series
        return []
    return [Mark(step=step, text=f"learning rate becomes {rate:.2g}") for step, rate in changes]


def _known(value: float) -> float | None:
    return float(f"{value:.6g}") if np.isfinite(value) else None


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(values, dtype=np.float64)))) if values.size else 0.0
