"""Softmax applied twice."""

from __future__ import annotations

import math

import numpy as np

from unstuck.experiments.interventions.from_logits import SetFromLogits
from unstuck.experiments.interventions.remove_layers import RemoveLayers
from unstuck.finding import Evidence
from unstuck.measure.contract import Contract, plain_output, width_of_activation
from unstuck.measure.room import Room
from unstuck.measure.seen import gathered
from unstuck.measure.setup import CATEGORICAL, SPARSE, Setup
from unstuck.measure.skill import Skill
from unstuck.rules.rule import Cleared, Example, NotApplicable, Rule, Suspect


class DoubleSoftmax(Rule):
    """The output is probabilities, and the loss takes them for logits.

    What it finds
    A softmax output compiled with a cross-entropy that has from_logits=True, or softmax applied by two layers in turn.

    Why training stops
    A second softmax is applied. Probabilities differ by 1 at most, so the second softmax can never be sure: with
    C classes the loss has the floor ln(1 + (C - 1) / e), and its gradient fades long before.

    What you see
    A loss that stops at 0.3133 (2 classes), 0.5514 (3), 0.7437 (4), 1.4612 (10) or 3.6222 (100), while accuracy may
    still rise. On TensorFlow Keras takes the logits back from a softmax that comes last, and training is as usual.

    How it is proven
    The floor follows from the two settings for any weights. The same network with from_logits=False is trained from the
    same seeds.

    When to ignore it
    When the damped loss is wanted, as a kind of label smoothing.

    References
    keras/src/backend/tensorflow/nn.py (_get_logits), keras/src/backend/jax/nn.py. tensorflow/tensorflow#14405;
    keras-team/keras#15271; ariecattan/SciCo#2.
    """

    code = "OUT105"
    severity = "error"
    sick = Example(
        """
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(3, activation="softmax"),
])
model.compile(
    keras.optimizers.Adam(0.01),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
model.fit(x, y, epochs=30, validation_data=(x_val, y_val), verbose=0)
""",
        data="three-classes",
        backends=("jax", "torch"),
    )
    healthy = Example(
        """
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(3),
])
model.compile(
    keras.optimizers.Adam(0.01),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
model.fit(x, y, epochs=30, validation_data=(x_val, y_val), verbose=0)
""",
        data="three-classes",
    )

    def check(
        self, setup: Setup, contract: Contract, skill: Skill | None, room: Room | None
    ) -> Cleared | NotApplicable | Suspect:
        head, loss = setup.head, setup.loss
        if loss.name not in CATEGORICAL | SPARSE or loss.custom:
            return NotApplicable("the loss is not a categorical cross-entropy")
        if not contract.single or setup.custom_train_step:
            return NotApplicable("the loss and the output cannot be paired (several outputs, or an own training step)")
        before = head.before
        if head.activation != "softmax" or not (loss.from_logits or before):
            return Cleared("softmax is applied once at most")
        width = width_of_activation(setup)
        if width is None or width < 2 or not plain_output(setup):
            return NotApplicable("the softmax does not give the classes of the output")
        after = [layer for layer in head.following if layer.index > head.activation_layer.index]
        if setup.backend == "tensorflow" and not (after or before):
            return Cleared("on TensorFlow Keras takes the logits back from a softmax that comes last")
        floor = math.log(1 + (width - 1) / math.e)
        learnt = room is not None and not room.exists
        return Suspect(
            message=f"softmax is applied twice: the loss cannot fall below {floor:.4f}",
            confidence="proven",
            severity="warning" if learnt else "error",
            location=setup.layer_location(head.activation_layer, "activation", label="applies softmax again")
            if before
            else setup.loss_location("applies softmax again"),
            related=(
                setup.layer_location(before or head.activation_layer, "activation", label="probabilities already"),
            ),
            evidence=gathered(_floor(floor, width, skill), _accuracy(skill)),
            scope={"layer": head.layer.name},
            cures=(RemoveLayers((head.activation_layer.name,)) if before else SetFromLogits(value=False),),
            conclusion="probabilities lie between 0 and 1, so the second softmax gives the right class at most"
            f" e / (e + {width - 1}) = {math.e / (math.e + width - 1):.3f}, for any weights",
            leads_to=(
                "label-smoothing-floor",
                "learning-rate-too-low",
                "vanishing-gradient",
                "model-too-small",
                "too-few-updates",
            ),
        )


def _floor(floor: float, width: int, skill: Skill | None) -> Evidence:
    text = f"with {width} classes the loss has the floor ln(1 + {width - 1}/e) = {floor:.4f}"
    if skill is None or not np.isfinite(skill.reported_loss):
        return Evidence(measure="loss-floor", text=text, expected=floor)
    text = f"the loss ended at {skill.reported_loss:.4f}; {text}"
    return Evidence(measure="loss-floor", text=text, value=skill.reported_loss, expected=floor)


def _accuracy(skill: Skill | None) -> Evidence | None:
    if skill is None or not np.isfinite(skill.accuracy):
        return None
    return Evidence(measure="accuracy", text=f"accuracy is {skill.accuracy:.3f} all the same", value=skill.accuracy)
