"""Scalers that saw a whole series before windows were cut from it; and what the naive forecast is worth."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from unstuck.measure.case import Missing
from unstuck.measure.leakage.series_fit import SeriesFit
from unstuck.measure.persistence import Persistence

STEPS = 12


def walk(columns: int) -> np.ndarray:
    return 100 + np.cumsum(np.random.default_rng(0).normal(size=(600, columns)), axis=0)


def windows(series: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    cut = [series[i : i + STEPS] for i in range(len(series) - STEPS)]
    return np.array(cut, "float32"), series[STEPS:, 0].astype("float32")


def in_order(program: Any, series: np.ndarray, gap: int = 0) -> Any:
    x, y = windows(series)
    return program.fit(x[: 450 - gap], y[: 450 - gap], x[450:], y[450:])


@pytest.mark.parametrize("columns", [1, 3])
@pytest.mark.parametrize("scaler", [MinMaxScaler, StandardScaler])
def test_a_scaler_fitted_on_the_whole_series_saw_the_held_out_steps(program: Any, columns: int, scaler: Any) -> None:
    series = scaler().fit_transform(walk(columns))
    found = in_order(program, series).get(SeriesFit)
    assert scaler.__name__ == found.estimator
    assert found.leaks
    assert found.saw == found.alone > 100


def test_one_fitted_on_the_first_steps_did_not(program: Any) -> None:
    series = walk(1)
    scaler = MinMaxScaler().fit(series[:450])
    found = in_order(program, scaler.transform(series), gap=STEPS).get(SeriesFit)
    assert not found.leaks
    assert 0 == found.saw


def test_of_windows_divided_at_random_no_step_is_held_out_alone(program: Any) -> None:
    x, y = windows(StandardScaler().fit_transform(walk(1)))
    x, x_val, y, y_val = program.split(x, y)
    assert not program.fit(x, y, x_val, y_val).get(SeriesFit).leaks


def test_rows_that_are_no_windows_are_not_judged(program: Any) -> None:
    table = StandardScaler().fit_transform(walk(4)).astype("float32")
    with pytest.raises(Missing):
        program.fit(table[:450], table[:450, 0], table[450:], table[450:, 0]).get(SeriesFit)


def test_the_last_value_forecasts_a_random_walk_and_not_noise(program: Any) -> None:
    assert in_order(program, walk(2)).get(Persistence).skill > 0.9


def test_the_last_value_does_not_forecast_noise(program: Any) -> None:
    noise = np.random.default_rng(1).normal(size=(600, 1))
    assert in_order(program, noise).get(Persistence).skill < 0
