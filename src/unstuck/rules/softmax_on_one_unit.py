"""Softmax over an axis of length one."""

from __future__ import annotations

import numpy as np

from unstuck.experiments.interventions.learning_rate import ScaleLearningRate
from unstuck.experiments.interventions.one_unit import head_for_one_unit
from unstuck.finding import Evidence
from unstuck.measure.contract import Contract, plain_output, width_of_activation
from unstuck.measure.data import Data
from unstuck.measure.replay import Replay
from unstuck.measure.seen import accuracy_is_a_share, gathered, same_answer, standstill
from unstuck.measure.setup import CATEGORICAL, SPARSE, Setup
from unstuck.measure.skill import Skill
from unstuck.measure.task import CLIP, Task
from unstuck.rules.rule import Cleared, Example, NotApplicable, Rule, Suspect


class SoftmaxOnOneUnit(Rule):
    """Softmax over a single unit always outputs 1.

    What it finds
    An output layer with one unit whose activation is softmax. Softmax divides the exponential of each unit by the sum
    over all of them; with one unit that is a number divided by itself.

    Why training stops
    The output is 1 for every row and every weight, so no gradient reaches the weights. On TensorFlow Keras takes the
    logits back from the softmax when the loss is a cross-entropy: the loss then falls while every prediction stays 1.

    What you see
    Accuracy frozen at the share of class 1, often 0.5. With binary cross-entropy on JAX and PyTorch a constant loss of
    15.94 times the share of class 0 (7.7 or 7.97 when balanced); with categorical cross-entropy a loss of 0 or about
    1e-7; with squared error exactly the mean of (1 - y)^2. predict() is 1.0 everywhere.

    How it is proven
    By arithmetic: exp(z) / exp(z) = 1. The recorded outputs and weights are shown beside it, and the same network with
    a sigmoid is trained from the same seeds.

    When to ignore it
    When the unit is meant to be a constant, for example a gate that is always open.

    References
    keras/src/activations/activations.py (softmax), keras/src/backend/tensorflow/nn.py (_get_logits). Questions
    45378493, 51581521, 58055105, 68321264, 70148149, 34311586 and 54738769 on Stack Overflow; keras-team/keras#18909.
    """

    code = "OUT101"
    severity = "error"
    sick = Example(
        """
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="softmax"),
])
model.compile("adam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=4, validation_data=(x_val, y_val), verbose=0)
"""
    )
    healthy = Example(
        """
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile("adam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=20, validation_data=(x_val, y_val), verbose=0)
"""
    )

    def check(
        self,
        setup: Setup,
        contract: Contract,
        task: Task | None,
        data: Data | None,
        replay: Replay | None,
        skill: Skill | None,
    ) -> Cleared | NotApplicable | Suspect:
        head = setup.head
        if head.activation != "softmax":
            return NotApplicable(f"the output activation is {head.activation}, not softmax")
        width = width_of_activation(setup)
        if width != 1:
            return Cleared(f"softmax works over {width or 'several'} units", width, 1)
        if not plain_output(setup):
            return Cleared("the softmax does not give the output itself")
        loss = setup.loss_location("log(1) = 0 for every label" if setup.loss.name in CATEGORICAL | SPARSE else "")
        return Suspect(
            message="softmax over a single unit always outputs 1",
            confidence="proven",
            location=setup.layer_location(head.activation_layer, "activation", label="divides one number by itself"),
            related=(setup.layer_location(head.layer, "units", 0, label="one unit"), loss),
            evidence=gathered(
                standstill(replay),
                same_answer(replay),
                _steady(setup, skill, task, replay),
                accuracy_is_a_share(skill, task),
                _recovered(setup, replay),
            ),
            scope={"layer": head.layer.name},
            cures=(head_for_one_unit(setup, task, data),),
            rivals=(ScaleLearningRate(10), ScaleLearningRate(0.1)) if contract.single else (),
            conclusion="the output does not depend on the weights, so no data, learning rate or number of epochs can"
            " change it",
            leads_to=(
                "categorical-loss-on-one-unit",
                "loss-ignores-predictions",
                "hidden-logit-recovery",
                "saturated-loss-clip",
                "vanishing-gradient",
                "learning-rate-too-low",
                "silent-missing-gradient",
            ),
        )


def _steady(setup: Setup, skill: Skill | None, task: Task | None, replay: Replay | None) -> Evidence | None:
    """What the number is that the loss stays at."""
    if skill is None or not np.isfinite(skill.evaluated_loss) or replay is None or not replay.stationary:
        return None
    loss = skill.evaluated_loss
    measure = "constant-loss"
    if setup.loss.name in CATEGORICAL | SPARSE:
        clip = "Keras's clip at 1 − 1e-7 times the share of class 1" if loss > 0 else "log(1)"
        return Evidence(measure=measure, text=f"loss stays near {loss:.2g}: that is {clip}, not a good fit", value=loss)
    if setup.loss.name == "binary_crossentropy" and task is not None and task.kind == "binary":
        expected = -float(np.log(CLIP)) * float(task.base[0])
        text = f"loss stays near {loss:.4g}: that is −log(1e-7), Keras's clip, times the share of class 0"
        return Evidence(measure=measure, text=text, value=loss, expected=expected)
    return Evidence(measure=measure, text=f"loss stays at {loss:.4g}, the loss of always answering 1", value=loss)


def _recovered(setup: Setup, replay: Replay | None) -> Evidence | None:
    """On TensorFlow the loss sees the logits, predict does not."""
    if setup.backend != "tensorflow" or replay is None or replay.stationary:
        return None
    text = "the weights move: on TensorFlow the loss takes the logits back from the softmax, and predict() does not"
    return Evidence(measure="largest-weight-change", text=text, value=max(replay.moved.values(), default=0.0))
