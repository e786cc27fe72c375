"""A loss over several classes on an output for one."""

from __future__ import annotations

import numpy as np

from unstuck.experiments.intervention import Intervention, Together
from unstuck.experiments.interventions.flatten import FlattenBefore
from unstuck.experiments.interventions.learning_rate import ScaleLearningRate
from unstuck.experiments.interventions.one_unit import head_for_one_unit
from unstuck.finding import Evidence
from unstuck.measure.contract import Contract, output_units
from unstuck.measure.data import Data
from unstuck.measure.replay import Replay
from unstuck.measure.seen import accuracy_is_a_share, fit_raised, gathered, standstill
from unstuck.measure.setup import CATEGORICAL, SPARSE, Setup
from unstuck.measure.skill import Skill
from unstuck.measure.task import Task
from unstuck.rules.rule import Cleared, Example, NotApplicable, Rule, Suspect

ZERO = 1.2e-7
"""One-unit categorical cross-entropy is at most -log(1 - 1e-7) a row in float32: 1.19e-7 (keras.config.epsilon())."""


class CategoricalLossOnOneUnit(Rule):
    """Categorical cross-entropy over one unit is 0 whatever the network answers.

    What it finds
    An output with one unit compiled with categorical or sparse categorical cross-entropy, whatever its activation.

    Why training stops
    The loss divides each output by the sum over all classes. With one class that is 1, and -log(1) = 0: the loss does
    not depend on the network. Its gradient is 0 on JAX and PyTorch. TensorFlow's fused kernel moves the weights all the
    same, but not towards anything.

    What you see
    loss: 0.0000e+00 from the first batch on TensorFlow, 6e-08 to 1.2e-07 on JAX and PyTorch (Keras's clip), and an
    accuracy frozen at the share of a class. With the sparse loss, TensorFlow and PyTorch raise "label value outside
    the valid range".

    How it is proven
    By arithmetic: p / sum(p) = 1 for one class. The same network with a sigmoid and binary cross-entropy is trained
    from the same seeds.

    When to ignore it
    Never on purpose; a loss of your own that happens to have this name is not looked at.

    References
    keras/src/backend/jax/nn.py and tensorflow/nn.py (categorical_crossentropy). Questions 70589997, 66602662 and
    70650848 on Stack Overflow; keras-team/keras#17029, #14729; tensorflow/tensorflow#60113.
    """

    code = "OUT102"
    severity = "error"
    echo_of = ("softmax-on-one-unit",)
    sick = Example(
        """
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile("adam", loss="categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y.reshape(-1, 1), epochs=4, validation_data=(x_val, y_val.reshape(-1, 1)), verbose=0)
"""
    )
    healthy = Example(
        """
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(2, activation="softmax"),
])
model.compile("adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
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
        loss, width = setup.loss, output_units(setup, contract)
        if loss.name not in CATEGORICAL | SPARSE or loss.custom:
            return NotApplicable(f"the loss is {loss.name or 'not set'}, not a categorical one")
        if not contract.single or setup.custom_train_step:
            return NotApplicable("the loss and the output cannot be paired (several outputs, or an own training step)")
        if (loss.config or {}).get("axis", -1) != -1:
            return NotApplicable("the loss works over another axis than the last")
        if width != 1:
            return Cleared(f"the output has {width or 'several'} units", width, 1)
        cure: Intervention = head_for_one_unit(setup, task, data)
        if contract.shape and len(contract.shape) > 2 and data is not None and data.y.ndim == 2:
            # The labels are one row of classes a row, and the output has an answer for every position.
            cure = Together((FlattenBefore(setup.head.layer.name), cure))
        return Suspect(
            message=f"{loss.name.replace('_', ' ')} over one unit is 0 whatever the network answers",
            confidence="proven",
            location=setup.loss_location("log(1) = 0 for every label"),
            related=(setup.layer_location(setup.head.layer, "units", 0, label="one unit"),),
            evidence=gathered(
                _zero_loss(setup, skill), standstill(replay), accuracy_is_a_share(skill, task), fit_raised(contract)
            ),
            scope={"layer": setup.head.layer.name},
            cures=(cure,),
            rivals=(ScaleLearningRate(10), ScaleLearningRate(0.1)),
            conclusion="with one class p / sum(p) is 1 for any output, so the loss is 0 for any weights",
            leads_to=(
                "loss-ignores-predictions",
                "vanishing-gradient",
                "learning-rate-too-low",
                "labels-out-of-range",
                "silent-missing-gradient",
                "label-format-mismatch",
            ),
        )


def _zero_loss(setup: Setup, skill: Skill | None) -> Evidence | None:
    if skill is None or not np.isfinite(skill.reported_loss):
        return None
    loss = skill.reported_loss
    if abs(loss) > 10 * ZERO:
        return Evidence(measure="reported-loss", text=f"the reported loss is {loss:.4g}", value=loss)
    clip = "exactly 0" if loss == 0 else f"{loss:.2g}: that is Keras's clip at 1 − 1e-7"
    return Evidence(measure="reported-loss", text=f"the loss is {clip}, not a good fit", value=loss, expected=0.0)
