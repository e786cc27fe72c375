"""The rates computed from a schedule's settings are those that Keras itself computes, step by step."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest
from keras.optimizers import schedules

from unstuck.measure.case import Case, Missing
from unstuck.measure.setup import Optimizer, Setup
from unstuck.measure.training.rates import SCHEDULES, Rates

WRITTEN = [
    schedules.ExponentialDecay(0.1, 7, 0.5),
    schedules.ExponentialDecay(0.1, 7, 0.5, staircase=True),
    schedules.InverseTimeDecay(0.1, 7, 0.5),
    schedules.InverseTimeDecay(0.1, 7, 0.5, staircase=True),
    schedules.PolynomialDecay(0.1, 20, 0.001, power=2.0),
    schedules.PolynomialDecay(0.1, 20, 0.001, cycle=True),
    schedules.CosineDecay(0.1, 20, alpha=0.1),
    schedules.CosineDecay(0.0, 20, warmup_target=0.1, warmup_steps=6),
    schedules.CosineDecayRestarts(0.1, 5, t_mul=2.0, m_mul=0.5, alpha=0.1),
    schedules.PiecewiseConstantDecay([5, 20], [0.1, 0.01, 0.001]),
]


@pytest.mark.parametrize("written", WRITTEN, ids=lambda s: type(s).__name__)
def test_a_schedule_gives_the_rates_that_keras_gives(written):
    config = keras.optimizers.schedules.serialize(written)
    computed = [SCHEDULES[config["class_name"]](step, config["config"]) for step in range(45)]
    expected = [float(keras.ops.convert_to_numpy(written(step))) for step in range(45)]
    np.testing.assert_allclose(computed, expected, rtol=1e-4, atol=1e-8)


def rates(rate, *, logged=(), steps=6, iterations=0, first=0):
    """Rates of a fit of `steps` steps, as many epochs as `logged` has entries."""
    epochs = np.repeat(np.arange(max(len(logged), 1)), -(-steps // max(len(logged), 1)))[:steps]
    fit = SimpleNamespace(
        losses=np.stack([epochs, np.arange(steps) + 1, np.ones(steps)], axis=1).astype(float),
        epochs=tuple({"logs": {"loss": 1.0} | ({} if r is None else {"learning_rate": r})} for r in logged),
        steps=(first,),
        body={"model": {"optimizer": {"iterations": iterations}}},
    )
    case = Case(SimpleNamespace(), fit)
    start = rate if isinstance(rate, float) else 0.1
    optimizer = Optimizer("adam", start, "", 0.0, {"learning_rate": rate})
    case._cache[Setup] = SimpleNamespace(optimizer=optimizer)
    return Rates.of(case)


def test_a_plain_rate_stays_and_logged_rates_are_read_epoch_by_epoch():
    np.testing.assert_array_equal(np.full(6, 0.1), rates(0.1).values)
    np.testing.assert_array_equal([0.1, 0.1, 0.01, 0.01, 0.001, 0.001], rates(0.1, logged=(0.1, 0.01, 0.001)).values)


def test_an_optimiser_that_has_run_before_goes_on_in_its_schedule():
    written = {"class_name": "ExponentialDecay",
               "config": {"initial_learning_rate": 1.0, "decay_steps": 1, "decay_rate": 0.5}}  # fmt: skip
    assert 1.0 == rates(written).values[0]
    assert 0.25 == rates(written, iterations=2).values[0]
    assert 1.0 == rates(written, iterations=1, first=1).values[0]  # described after the step that built the model


def test_a_schedule_of_ones_own_is_missing_and_not_guessed():
    with pytest.raises(Missing, match="MySchedule"):
        rates({"class_name": "MySchedule", "config": {}})
