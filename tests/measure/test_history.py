"""The course of a fit as the page draws it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from unstuck.measure.replay import LayerState, Moment, Replay, VariableState
from unstuck.measure.training.curve import Curve
from unstuck.measure.training.history import POINTS, History, thinned


def layer(dead: float) -> LayerState:
    return LayerState("dense", "relu", 0.0, 1.0, 0.1, dead, 0.0, 0.0, True)


def moment(step: int, dead: float, gradient: float) -> Moment:
    variables = (VariableState("dense/kernel", gradient, 1.0, True), VariableState("dense/bias", gradient, 1.0, True))
    return Moment(step, 1.0, 0.0, (layer(dead),), variables)


class FakeCase:
    """A fit of four steps and two epochs; weights of a single kernel at steps 0 and 4."""

    def __init__(self, losses: list[float], moments: tuple[Moment, ...], end: str = "completed") -> None:
        table = np.array([[0, i + 1, loss] for i, loss in enumerate(losses)])
        epochs = (
            {"step": 2, "logs": {"loss": 1.0, "val_loss": 0.5}},
            {"step": 4, "logs": {"loss": 1.0, "val_loss": 0.9}},
        )
        body = {"model": {"name": "net", "variables": [{"path": "net/dense/kernel", "trainable": True}]}}
        self.fit = SimpleNamespace(index=0, losses=table, epochs=epochs, end={"status": end}, body=body)
        self.run = SimpleNamespace(weights=lambda _, step: (np.full(3, 3.0 if step else 2.0),))
        self._moments = moments

    def find(self, kind: type) -> Any:
        if kind is Replay:
            return SimpleNamespace(moments=self._moments)
        return Curve.of(self) if kind is Curve else None  # type: ignore[arg-type]


def test_a_thinned_series_keeps_its_extremes_and_what_is_not_finite() -> None:
    values = np.sin(np.arange(5000.0))
    values[1234], values[2000], values[4000] = 9.0, -9.0, np.nan
    steps, kept = thinned(np.arange(5000), values)
    assert len(kept) <= POINTS
    assert (9.0, -9.0) == (np.nanmax(kept), np.nanmin(kept))
    assert 4000 == steps[np.flatnonzero(np.isnan(kept))[0]]
    assert (np.diff(steps) > 0).all()


def test_a_short_series_is_kept_whole_and_the_loss_comes_first() -> None:
    found = History.of(FakeCase([4.0, 3.0, 2.0, 1.0], ()))  # type: ignore[arg-type]
    assert ["loss", "val_loss"] == [s.name for s in found.series]
    assert (4.0, 3.0, 2.0, 1.0) == found.series[0].values


def test_turns_are_told_by_the_step_at_which_they_happen() -> None:
    moments = (moment(0, 0.1, 1.0), moment(1, 1.0, 1.0), moment(4, 1.0, 0.0))
    case = FakeCase([4.0, 3.0, float("nan"), float("nan")], moments, end="killed")
    found = [(m.step, m.text) for m in History.of(case).marks]  # type: ignore[arg-type]
    assert [
        (1, "all units of dense are silent"),
        (2, "validation loss is lowest here and rises afterwards"),
        (3, "the loss stops being a number"),
        (4, "every gradient is exactly 0"),
        (4, "training ends: killed"),
    ] == found


def test_a_layer_that_recovers_is_not_called_silent() -> None:
    moments = (moment(0, 1.0, 0.0), moment(4, 0.2, 1.0))
    case = FakeCase([4.0, 3.0, 2.0, 1.0], moments)
    assert ["validation loss is lowest here and rises afterwards"] == [m.text for m in History.of(case).marks]  # type: ignore[arg-type]


def test_the_update_ratio_is_the_relative_change_a_step() -> None:
    moments = (moment(0, 0.0, 0.5), moment(4, 0.0, 0.25))
    maps = {m.measure: m for m in History.of(FakeCase([1.0] * 4, moments)).layers}  # type: ignore[arg-type]
    assert (("dense/kernel",), (4,), ((0.125,),)) == (
        maps["update ratio"].layers,
        maps["update ratio"].steps,
        maps["update ratio"].values,
    )
    assert ((0.5, 0.25),) == maps["gradient norm"].values
    assert ((0.0, 0.0),) == maps["dead share"].values
