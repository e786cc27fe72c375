"""API108: train_on_batch reports a running mean."""

from __future__ import annotations

from unstuck.measure.case import Missing
from unstuck.measure.code.loops import Loop
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule

CORRECT = (3, 15)
"""First version known to reset its metrics in every train_on_batch: read in 3.15.1."""


class RunningMeanLoss(Rule):
    """
    What it finds:
    A loop over train_on_batch on a version of Keras that does not reset its metrics between calls.

    Why training stops:
    It does not. The number returned is the mean over all batches since the last reset, so it hardly moves after some
    hundred calls, however the loss itself changes.

    What you see:
    A loss that looks frozen, or decays slowly and smoothly.

    How it is proven:
    Not from the record: the losses of single batches are not in it on such versions. On Keras 3.15 and later, whose
    train_on_batch resets its metrics, the cause is ruled out.

    When to ignore it:
    When model.reset_metrics() is called before each batch.

    References:
    keras/src/backend/jax/trainer.py (train_on_batch, reset_metrics).
    """

    code = "API108"
    severity = "note"
    sick = Example(
        """
model = keras.Sequential([keras.layers.Dense(16, activation="relu"), keras.layers.Dense(1, activation="sigmoid")])
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy")
for step in range(100):
    model.train_on_batch(x[:64], y[:64])
""",
        backends=(),  # needs a version before 3.15
    )
    healthy = Example(
        """
model = keras.Sequential([keras.layers.Dense(16, activation="relu"), keras.layers.Dense(1, activation="sigmoid")])
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy")
model.fit(x, y, validation_data=(x_val, y_val), epochs=12, verbose=0)
"""
    )

    def check(self, loop: Loop) -> Judgement:
        if not loop.by_batches:
            return NotApplicable("the training is a call of fit")
        if loop.resets:
            return Cleared("the script resets the metrics itself")
        if loop.version >= CORRECT:
            return Cleared(f"Keras {'.'.join(map(str, loop.version))} resets its metrics in every train_on_batch")
        raise Missing("losses of single batches", "call model.reset_metrics() before train_on_batch, or upgrade Keras")
