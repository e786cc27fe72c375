"""The rates of a schedule, one of Keras's or the person's own, are tried larger and smaller as a plain rate is."""

from __future__ import annotations

from pathlib import Path

import keras
import pytest
from tests.harness import Bench

from unstuck.record.rebuild import SCALE, rebuild
from unstuck.rules.rule import Example
from unstuck.settings import Settings

SCHEDULES = keras.optimizers.schedules
KERAS_OWN = (
    SCHEDULES.PiecewiseConstantDecay([10, 20], [0.3, 0.2, 0.1]),
    SCHEDULES.CosineDecay(0.0, 100, warmup_target=0.3, warmup_steps=10),
)
NETWORK = """
model = keras.Sequential([keras.layers.Dense(16, activation="relu"), keras.layers.Dense(1, activation="sigmoid")])
model.compile(keras.optimizers.Adam(RATE), loss="binary_crossentropy")
model.fit(x, y, validation_data=(x_val, y_val), epochs=10, verbose=0)
"""
TOO_HIGH = {
    "of Keras": ("rate = keras.optimizers.schedules.PolynomialDecay(6.0, 200, end_learning_rate=0.6)\n", "rate"),
    "the person's": (
        """
class Steep(keras.optimizers.schedules.LearningRateSchedule):
    def __init__(self, peak):
        self.peak = peak
    def __call__(self, step):
        return self.peak / (1.0 + 0.001 * keras.ops.cast(step, "float32"))
""",
        "Steep(6.0)",
    ),
}


@pytest.mark.parametrize("schedule", KERAS_OWN, ids=lambda schedule: type(schedule).__name__)
@pytest.mark.parametrize("step", [0, 5, 30])
def test_every_rate_of_a_schedule_is_multiplied(schedule: keras.optimizers.schedules.LearningRateSchedule, step: int):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(schedule), loss="mse")
    settings = model.get_compile_config()
    settings["optimizer"]["config"]["learning_rate"][SCALE] = 0.1
    again = rebuild(keras.saving.serialize_keras_object(model), settings)
    again.optimizer.iterations.assign(step)
    assert 0.1 * float(schedule(step)) == pytest.approx(float(again.optimizer.learning_rate))


@pytest.mark.parametrize("whose", TOO_HIGH)
def test_rates_that_are_too_high_are_confirmed(whose: str, bench: Bench, tmp_path: Path) -> None:
    made, rate = TOO_HIGH[whose]
    report = bench.diagnose(Example(made + NETWORK.replace("RATE", rate)), tmp_path / "run", Settings(budget=60))
    first = report.findings[0]
    assert ("learning-rate-too-high", "confirmed") == (first.rule, first.confidence)
    assert first.message.startswith("the rates of ")
    assert first.fix is not None
    rates = [float(edit.text) for edit in first.fix.edits]
    if whose == "of Keras":
        assert [10 * rates[1], rates[1]] == pytest.approx(rates)
        assert rates[0] < 6.0
    else:
        assert not rates  # which of its arguments are rates is not known
