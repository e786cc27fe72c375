"""API111: on TensorFlow the loss is not the loss of what predict returns."""

from __future__ import annotations

import numpy as np

from unstuck.finding import Evidence
from unstuck.measure.contract import Contract, width_of_activation
from unstuck.measure.data import Data
from unstuck.measure.replay import Replay
from unstuck.measure.seen import gathered
from unstuck.measure.setup import BINARY, CATEGORICAL, SPARSE, Setup
from unstuck.measure.skill import Skill
from unstuck.measure.training.keras_warnings import KerasWarnings
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect

APART = 0.1
"""Relative difference between the two losses. Rounding and the clip at 1e-7 keep those of a sound run within 1 %."""
LEAST = 0.01
"""Difference below which losses near 0 differ by the clip alone."""
CLIPPED = 1e-6
"""Probabilities closer to 0 or 1 than this are clipped in one computation and not in the other."""
FEW = 0.01
"""Share of clipped outputs up to which the clip cannot explain the difference."""


class HiddenLogitRecovery(Rule):
    """
    What it finds:
    A run on TensorFlow whose reported loss differs from the loss computed from predict().

    Why training stops:
    It goes on, by accident. When the output ends with softmax or sigmoid, Keras on TensorFlow takes the logits back
    and computes the loss from them. A softmax too many, or one over a single unit, is thereby hidden from the loss,
    and not from predict(). On JAX and PyTorch the same script stands still.

    What you see:
    A loss that falls while predictions stay constant; other results on another backend.

    How it is proven:
    The loss is computed from the recorded predictions in NumPy and compared with what evaluate() reports for the same
    rows and weights.

    When to ignore it:
    Where outputs are within 1e-6 of 0 or 1, the clip makes the two differ; such runs are cleared.

    References:
    keras/src/backend/tensorflow/nn.py (_get_logits); keras-team/keras issue 15271.
    """

    code = "API111"
    severity = "warning"
    echo_of = ("softmax-on-one-unit", "double-softmax", "double-sigmoid", "categorical-loss-on-one-unit")
    sick = Example(
        """
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="softmax"),
])
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy")
model.fit(x, y, validation_data=(x_val, y_val), epochs=4, verbose=0)
""",
        backends=("tensorflow",),
    )
    healthy = Example(
        """
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy")
model.fit(x, y, validation_data=(x_val, y_val), epochs=10, verbose=0)
"""
    )

    def check(
        self, setup: Setup, contract: Contract, skill: Skill, replay: Replay, data: Data, warnings: KerasWarnings
    ) -> Judgement:
        if setup.backend != "tensorflow":
            return NotApplicable(f"{setup.backend} computes the loss from the outputs")
        if setup.head.activation not in ("softmax", "sigmoid") or setup.loss.name not in BINARY | CATEGORICAL | SPARSE:
            return NotApplicable("the output has no logits that could be taken back")
        if data.weight is not None or setup.class_weight or not contract.single:
            return NotApplicable("rows are weighted or outputs are several, so the losses cannot be compared")
        if (setup.loss.config or {}).get("label_smoothing"):
            return NotApplicable("labels are smoothed, so the losses cannot be compared")
        reported = skill.evaluated_loss - np.nan_to_num(replay.last.penalty)
        computed = skill.recomputed_loss
        if not np.isfinite([reported, computed]).all():
            return NotApplicable("the loss cannot be computed from the predictions")
        apart = abs(reported - computed) / max(abs(reported), abs(computed), 1e-12)
        if apart < APART or abs(reported - computed) < LEAST:
            return Cleared("the reported loss is the loss of the predictions", apart, APART)
        single = setup.head.activation == "softmax" and width_of_activation(setup) == 1
        outputs = replay.train_outputs
        clipped = float(((outputs < CLIPPED) | (outputs > 1 - CLIPPED)).mean())
        if clipped > FEW and not single:
            return Cleared(f"{clipped:.0%} of the outputs are clipped, which explains the difference", clipped, FEW)
        return Suspect(
            message="the reported loss is not that of the predictions: TensorFlow takes the logits back",
            confidence="proven",
            location=setup.layer_location(setup.head.activation_layer, "activation", label="undone by the loss"),
            related=(setup.loss_location(),),
            evidence=gathered(
                Evidence(
                    measure="loss-from-predictions",
                    value=computed,
                    expected=reported,
                    text=f"evaluate() reports {reported:.4g}; computed from predict() the loss is {computed:.4g}",
                ),
                warnings.cite("from_logits"),
            ),
            conclusion="the same weights have two losses, and predictions follow the worse one",
            impairs=False,
        )
