"""NET110: BatchNormalization that is trained inside a frozen backbone."""

from __future__ import annotations

import numpy as np

from unstuck.experiments.interventions.batch_norm import FreezeBatchNorm
from unstuck.finding import Evidence
from unstuck.measure.replay import Replay
from unstuck.measure.seen import gathered
from unstuck.measure.setup import Setup
from unstuck.measure.skill import Skill
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect

WORSE = 1.5
"""Loss in inference mode over loss in training mode on the same rows; see batchnorm-statistics-cold."""
LEAST = 0.05
"""Difference of the two losses that is worth a word."""


class BatchnormInFrozenBackbone(Rule):
    """
    What it finds:
    Trainable BatchNormalization between frozen layers, in a network that is much worse in inference mode than in
    training mode.

    Why training stops:
    The kernels around it are fixed and were trained with its old averages. In training it uses the statistics of the
    batch, in inference averages on the way from the old data to the new, so the head is trained on other features
    than it is evaluated on.

    What you see:
    Training accuracy near 1, validation near chance, or validation that jumps between epochs.

    How it is proven:
    From the flags of the layers and both losses on the recorded rows. The same network with BatchNormalization frozen
    is trained from the same weights.

    When to ignore it:
    When the two losses agree: adapting only BatchNormalization is a method of its own, and such runs are cleared.

    References:
    The Keras guide "Transfer learning and fine-tuning" (BatchNormalization layers); keras-team/keras pull request 9965.
    """

    code = "NET110"
    severity = "error"
    sick = Example(
        """
def backbone(x):
    for _ in range(2):
        x = keras.layers.Dense(32, activation="relu")(x)
        x = keras.layers.BatchNormalization()(x)
    return x

inputs = keras.Input((30,))
base = keras.Model(inputs, backbone(inputs))
for layer in base.layers:
    layer.trainable = isinstance(layer, keras.layers.BatchNormalization)
model = keras.Sequential([base, keras.layers.Dense(1, activation="sigmoid")])
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy", metrics=["accuracy"])
x, x_val = 20 * x + 100, 20 * x_val + 100
model.fit(x, y, validation_data=(x_val, y_val), epochs=10, verbose=0)
"""
    )
    healthy = Example(
        """
def backbone(x):
    for _ in range(2):
        x = keras.layers.Dense(32, activation="relu")(x)
        x = keras.layers.BatchNormalization()(x)
    return x

inputs = keras.Input((30,))
base = keras.Model(inputs, backbone(inputs))
base.trainable = False
model = keras.Sequential([base, keras.layers.Dense(1, activation="sigmoid")])
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, validation_data=(x_val, y_val), epochs=15, verbose=0)
"""
    )

    def check(self, setup: Setup, replay: Replay, skill: Skill) -> Judgement:
        norms = [layer for layer in setup.layers if layer.kind == "BatchNormalization" and layer.trainable]
        frozen = [layer for layer in setup.hidden if layer.kind != "BatchNormalization" and not layer.trainable]
        inside = [n for n in norms if frozen and frozen[0].index < n.index <= frozen[-1].index + 2]
        if not inside:
            return NotApplicable("no BatchNormalization is trained inside a frozen part")
        training, inference = replay.last.loss, skill.evaluated_loss - np.nan_to_num(replay.last.penalty)
        ratio = inference / training if training > 0 else float("nan")
        if not ratio >= WORSE or inference - training < LEAST:
            return Cleared(f"the loss in inference mode is {ratio:.2f} times that in training mode", ratio, WORSE)
        return Suspect(
            message=f"{len(inside)} BatchNormalization layers are trained inside a frozen backbone",
            location=setup.layer_location(inside[0], label="trainable"),
            related=tuple(setup.layer_location(layer, label="frozen") for layer in frozen[:2]),
            evidence=gathered(
                Evidence(
                    measure="trained-norms-among-frozen-layers",
                    value=len(inside),
                    text=f"{len(inside)} BatchNormalization layers are trainable among {len(frozen)} frozen layers",
                ),
                Evidence(
                    measure="inference-over-training-loss",
                    value=ratio,
                    expected=WORSE,
                    text=f"the same rows cost {training:.4g} in training mode and {inference:.4g} in inference mode",
                ),
            ),
            cures=(FreezeBatchNorm(),),
            leads_to=("batchnorm-statistics-cold", "memorising", "too-few-updates"),
        )
