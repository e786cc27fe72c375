"""EVA101: BatchNormalization evaluates with averages that have not arrived."""

from __future__ import annotations

import numpy as np

from unstuck.experiments.interventions.batch_norm import SetBatchNormMomentum
from unstuck.finding import Evidence
from unstuck.measure.replay import Replay
from unstuck.measure.seen import gathered
from unstuck.measure.setup import Setup
from unstuck.measure.skill import Skill
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect

WORSE = 1.5
"""Loss in inference mode over loss in training mode on the same rows. Dropout makes it less than 1; averages that have
arrived bring it to within a few percent of 1."""
LEAST = 0.05
"""Difference of the two losses that is worth a word, where the loss is near 0 and ratios are large by chance."""
ARRIVED = 0.01
"""Share of the first value (mean 0, variance 1) that may be left in an average: momentum ** steps."""
FASTEST = 0.9
"""Momentum that is tried; averages that follow faster are noisy themselves."""


class BatchnormStatisticsCold(Rule):
    """
    What it finds:
    A network with BatchNormalization whose loss on its own training rows is far higher in inference mode than in
    training mode.

    Why training stops:
    It does not; what is evaluated is another network. Training normalises with the mean and variance of the batch,
    inference with moving averages that begin at 0 and 1 and follow with momentum 0.99. After 100 steps 37 % of the
    first value is still in them.

    What you see:
    A small training loss beside a huge or jumping validation loss, even on the same rows.

    How it is proven:
    Both losses are measured on the recorded rows with the final weights. Training again with averages that follow
    faster, from the same seeds, changes nothing else.

    When to ignore it:
    When training goes on: after some hundred steps the averages have arrived by themselves.

    References:
    Ioffe and Szegedy 2015, "Batch Normalization"; tensorflow/tensorflow issue 36446; keras-team/keras issues 7265 and
    12851.
    """

    code = "EVA101"
    severity = "error"
    echo_of = ("batchnorm-tiny-batch", "batchnorm-in-frozen-backbone", "diverging-loss")
    sick = Example(
        """
x, x_val = 50 * x + 400, 50 * x_val + 400
model = keras.Sequential([
    keras.layers.BatchNormalization(),
    keras.layers.Dense(32, activation="relu"),
    keras.layers.BatchNormalization(),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, validation_data=(x_val, y_val), epochs=4, verbose=0)
"""
    )
    healthy = Example(
        """
model = keras.Sequential([
    keras.layers.Dense(32, activation="relu"),
    keras.layers.BatchNormalization(momentum=0.9),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, validation_data=(x_val, y_val), epochs=12, verbose=0)
"""
    )

    def check(self, setup: Setup, replay: Replay, skill: Skill) -> Judgement:
        layers = [layer for layer in setup.layers if layer.kind == "BatchNormalization" and layer.trainable]
        if not layers:
            return NotApplicable("no BatchNormalization is trained")
        training, inference = replay.last.loss, skill.evaluated_loss - np.nan_to_num(replay.last.penalty)
        if not np.isfinite(training):
            return NotApplicable("the loss in training mode could not be computed")
        ratio = inference / training if training > 0 else float("inf")
        if np.isfinite(inference) and (ratio < WORSE or inference - training < LEAST):
            return Cleared(f"the loss in inference mode is {ratio:.2f} times that in training mode", ratio, WORSE)
        steps = replay.last.step
        momentum = max(float(layer.config.get("momentum", 0.99)) for layer in layers)
        left = momentum**steps
        if left < ARRIVED:
            return Cleared(
                f"the moving averages have arrived after {steps} steps ({left:.1%} of their first value is left)",
                left,
                ARRIVED,
            )
        faster = round(min(FASTEST, ARRIVED ** (1 / max(steps, 1))), 2)
        return Suspect(
            message="BatchNormalization evaluates with moving averages that have not arrived",
            location=setup.layer_location(layers[-1], "momentum", 1, f"momentum {momentum:g}"),
            evidence=gathered(
                Evidence(
                    measure="inference-over-training-loss",
                    value=ratio if np.isfinite(ratio) else None,
                    expected=WORSE,
                    text=f"the same rows cost {training:.4g} in training mode and {inference:.4g} in inference mode",
                ),
                Evidence(
                    measure="first-value-left",
                    value=left,
                    expected=ARRIVED,
                    text=f"{momentum:g} ** {steps} steps = {left:.0%} of the first mean and variance is still in them",
                ),
            ),
            cures=(SetBatchNormMomentum(faster),) if faster < momentum else (),
            leads_to=(
                "too-few-updates",
                "memorising",
                "learning-rate-too-high",
                "momentum-oscillation",
                "model-too-small",
                "saturated-loss-clip",
            ),
        )
