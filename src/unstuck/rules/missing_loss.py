"""Compiled without a loss."""

from __future__ import annotations

import numpy as np

from unstuck.experiments.interventions.loss import SetLoss
from unstuck.measure.contract import Contract, suited_loss
from unstuck.measure.data import Data
from unstuck.measure.replay import Replay
from unstuck.measure.seen import fit_raised, gathered, standstill, zero_loss
from unstuck.measure.setup import Setup
from unstuck.measure.task import Task
from unstuck.measure.training.curve import Curve
from unstuck.rules.rule import Cleared, Example, NotApplicable, Rule, Suspect


class MissingLoss(Rule):
    """compile() was given no loss.

    What it finds
    A model compiled without a loss whose layers are all Keras's own, so that none of them adds one.

    Why training stops
    There is nothing to make smaller. TensorFlow and PyTorch raise; JAX trains in silence on a loss of 0.

    What you see
    "No loss to compute. Provide a `loss` argument in `compile()`" on TensorFlow and PyTorch; loss: 0.0000e+00 in every
    epoch on JAX, with metrics that do not move.

    How it is proven
    From the compile settings: the loss is None. The weights did not change.

    When to ignore it
    When the model adds its own loss (add_loss) or has its own training step; both are left alone.

    References
    keras/src/trainers/trainer.py (_compute_loss); keras-team/keras#15420; tensorflow/tensorflow#34443.
    """

    code = "API102"
    severity = "error"
    sick = Example(
        """
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(optimizer="adam", metrics=["accuracy"])
model.fit(x, y, epochs=4, validation_data=(x_val, y_val), verbose=0)
""",
        backends=("jax",),
    )
    healthy = Example(
        """
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=20, validation_data=(x_val, y_val), verbose=0)
"""
    )

    def check(
        self,
        setup: Setup,
        contract: Contract,
        task: Task | None,
        data: Data | None,
        curve: Curve | None,
        replay: Replay | None,
    ) -> Cleared | NotApplicable | Suspect:
        if setup.loss.name:
            return Cleared(
                "a loss is compiled" if setup.loss.name != "unknown" else "the compile settings are not known"
            )
        if setup.custom_train_step:
            return NotApplicable("the training step is the model's own")
        if contract.own_loss and (curve is None or bool(np.any(curve.losses != 0))) and "No loss" not in contract.error:
            return Cleared("layers of the model may add their own loss")
        name, from_logits = suited_loss(setup, contract, task, data)
        return Suspect(
            message="compile() was given no loss, so there is nothing to learn",
            confidence="proven",
            location=setup.compile_location(label="no loss"),
            evidence=gathered(zero_loss(curve), standstill(replay), fit_raised(contract)),
            cures=(SetLoss(name, from_logits),),
            conclusion="without a loss there is no gradient",
            leads_to=(
                "learning-rate-too-low",
                "loss-ignores-predictions",
                "silent-missing-gradient",
                "vanishing-gradient",
            ),
        )
