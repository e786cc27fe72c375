"""Sigmoid applied twice."""

from __future__ import annotations

import numpy as np

from unstuck.experiments.interventions.from_logits import SetFromLogits
from unstuck.experiments.interventions.remove_layers import RemoveLayers
from unstuck.finding import Evidence
from unstuck.measure.contract import UNPAIRED, Contract, paired, plain_output
from unstuck.measure.data import Data
from unstuck.measure.room import Room
from unstuck.measure.seen import gathered
from unstuck.measure.setup import BINARY, Setup
from unstuck.measure.skill import Skill
from unstuck.rules.rule import Cleared, Example, NotApplicable, Rule, Suspect

SUREST = 1 / (1 + np.exp(-1.0))
"""sigmoid(1) = 0.731: the most that a second sigmoid makes of a probability; the least is sigmoid(0) = 0.5."""


class DoubleSigmoid(Rule):
    """The output is a probability, and the loss takes it for a logit.

    What it finds
    A sigmoid output compiled with binary cross-entropy that has from_logits=True, or sigmoid applied by two layers.

    Why training stops
    A second sigmoid is applied, which makes 0.5 of 0 and 0.731 of 1. A row of class 1 costs 0.3133 at least, one
    of class 0 costs 0.6931, and no answer is ever taken for class 0; the gradient fades long before.

    What you see
    A loss that stops at 0.3133 times the share of class 1 plus 0.6931 times that of class 0 (0.503 when balanced). On
    TensorFlow Keras takes the logits back from a sigmoid that comes last, and training is as usual.

    How it is proven
    The floor follows from the two settings for any weights. The same network with from_logits=False is trained from the
    same seeds.

    When to ignore it
    When the answers are good and only their order matters.

    References
    keras/src/backend/tensorflow/nn.py (_get_logits), keras/src/backend/jax/nn.py (binary_crossentropy).
    keras-team/keras#15271; keras-team/keras#15715.
    """

    code = "OUT106"
    severity = "error"
    sick = Example(
        """
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile("adam", loss=keras.losses.BinaryCrossentropy(from_logits=True), metrics=["accuracy"])
model.fit(x, y, epochs=20, validation_data=(x_val, y_val), verbose=0)
""",
        backends=("jax", "torch"),
    )
    healthy = Example(
        """
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1),
])
metric = keras.metrics.BinaryAccuracy(threshold=0.0)
model.compile("adam", loss=keras.losses.BinaryCrossentropy(from_logits=True), metrics=[metric])
model.fit(x, y, epochs=20, validation_data=(x_val, y_val), verbose=0)
"""
    )

    def check(
        self, setup: Setup, contract: Contract, data: Data | None, skill: Skill | None, room: Room | None
    ) -> Cleared | NotApplicable | Suspect:
        head, loss = setup.head, setup.loss
        if loss.name not in BINARY or loss.custom:
            return NotApplicable("the loss is not a binary cross-entropy")
        if not paired(setup, contract):
            return NotApplicable(UNPAIRED)
        before = head.before
        if head.activation != "sigmoid" or not (loss.from_logits or before):
            return Cleared("sigmoid is applied once at most")
        if not plain_output(setup):
            return NotApplicable("the sigmoid does not give the output itself")
        after = [layer for layer in head.following if layer.index > head.activation_layer.index]
        if setup.backend == "tensorflow" and loss.name == "binary_crossentropy" and not (after or before):
            return Cleared("on TensorFlow Keras takes the logits back from a sigmoid that comes last")
        learnt = room is not None and not room.exists
        return Suspect(
            message="sigmoid is applied twice: the loss takes a probability for a logit",
            confidence="proven",
            severity="warning" if learnt else "error",
            location=setup.layer_location(head.activation_layer, "activation", label="applies sigmoid again")
            if before
            else setup.loss_location("applies sigmoid again"),
            related=(
                setup.layer_location(before or head.activation_layer, "activation", label="a probability already"),
            ),
            evidence=gathered(_floor(data, skill) if loss.name == "binary_crossentropy" else None),
            scope={"layer": head.layer.name},
            cures=(RemoveLayers((head.activation_layer.name,)) if before else SetFromLogits(value=False),),
            conclusion="the output lies between 0 and 1, so the second sigmoid gives 0.5 to 0.731, for any weights",
            leads_to=(
                "learning-rate-too-low",
                "vanishing-gradient",
                "model-too-small",
                "too-few-updates",
                "accuracy-on-logits",
            ),
        )


def _floor(data: Data | None, skill: Skill | None) -> Evidence | None:
    """The lowest loss that the range of the second sigmoid allows for these labels."""
    if data is None or not np.isfinite(data.y.astype(np.float64)).all():
        return None
    y = data.y.astype(np.float64)
    p = np.clip(y, 0.5, SUREST)
    floor = float(-(y * np.log(p) + (1 - y) * np.log(1 - p)).mean())
    text = f"for these labels the loss has the floor {floor:.4f}"
    if skill is None or not np.isfinite(skill.reported_loss):
        return Evidence(measure="loss-floor", text=text, expected=floor)
    text = f"the loss ended at {skill.reported_loss:.4f}; {text}"
    return Evidence(measure="loss-floor", text=text, value=skill.reported_loss, expected=floor)
