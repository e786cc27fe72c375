"""API116: the third part of each batch is read as sample weights."""

from __future__ import annotations

import numpy as np

from unstuck.experiments.interventions.weights import DropSampleWeights
from unstuck.finding import Evidence
from unstuck.measure.data import Data
from unstuck.measure.seen import gathered
from unstuck.measure.setup import Setup
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect

SAME = 1e-6
"""Difference up to which weights and targets are the same numbers in float32."""


class TargetReadAsWeight(Rule):
    """
    What it finds:
    A generator or data set that yields three parts, whose third part does not look like weights: it has negative
    values, or it is the target again.

    Why training stops:
    Keras reads (x, y, w) as inputs, targets and sample weights. A second target in the third place multiplies the loss
    of each row: rows with 0 are left out, and rows with a negative number are driven away from their target.

    What you see:
    A negative or odd loss; 0 where the third part is 0.

    How it is proven:
    By the recorded values. Training without weights, from the same seeds, must do better.

    When to ignore it:
    When the third part is meant as weights; weights that are 0 or more and are not the target are left alone.

    References:
    keras/src/trainers/data_adapters/data_adapter_utils.py (unpack_x_y_sample_weight).
    """

    code = "API116"
    severity = "error"
    sick = Example(
        """
def batches():
    while True:
        rows = np.random.default_rng(0).integers(0, len(x), 32)
        for start in range(0, len(x) - 32, 32):
            rows = slice(start, start + 32)
            yield x[rows], y[rows], x[rows, 4]

model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile("adam", loss="binary_crossentropy")
model.fit(batches(), steps_per_epoch=13, epochs=20, validation_data=(x_val, y_val), verbose=0)
"""
    )
    healthy = Example(
        """
def batches():
    while True:
        for start in range(0, len(x) - 32, 32):
            rows = slice(start, start + 32)
            yield x[rows], y[rows], np.where(y[rows] == 1, 1.0, 1.5)

model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy")
model.fit(batches(), steps_per_epoch=13, epochs=15, validation_data=(x_val, y_val), verbose=0)
"""
    )

    def check(self, setup: Setup, data: Data) -> Judgement:
        if data.weight is None:
            return NotApplicable("no third part is read as weights")
        if setup.sources.argument(setup.sites["fit"], "sample_weight") is not None:
            return NotApplicable("the weights were given under their name")
        weight = np.asarray(data.weight, dtype=np.float64).reshape(len(data.weight), -1)
        negative = float((weight < 0).mean())
        target = np.asarray(data.y, dtype=np.float64).reshape(len(data.y), -1)
        repeated = weight.shape == target.shape and bool(np.allclose(weight, target, atol=SAME))
        if not negative and not (repeated and np.ptp(target) > 0):
            return Cleared("the third part looks like weights: no value is below 0", negative, 0.0)
        seen = f"{negative:.0%} of its values are below 0" if negative else "it is the target again"
        return Suspect(
            message=f"the third part of each batch is read as sample weights, and {seen}",
            location=setup.sources.argument(setup.sites["fit"], "x", 0, label="yields three parts")
            or setup.fit_location(),
            evidence=gathered(
                Evidence(
                    measure="negative-weights",
                    value=negative,
                    expected=0.0,
                    of=weight.size,
                    text=f"the recorded weights go from {weight.min():.3g} to {weight.max():.3g}; {seen}",
                )
            ),
            cures=(DropSampleWeights(),),
            leads_to=(
                "zero-sample-weights",
                "zero-advantage",
                "diverging-loss",
                "learning-rate-too-low",
                "too-few-updates",
            ),
        )
