"""OUT128: an own loss that is lowest for the wrong answers."""

from __future__ import annotations

import numpy as np

from unstuck.experiments.interventions.negate_loss import NegateLoss
from unstuck.finding import Evidence
from unstuck.measure.contract import UNPAIRED, Contract, paired
from unstuck.measure.seen import first_non_finite, gathered
from unstuck.measure.setup import Setup
from unstuck.measure.skill import Skill
from unstuck.measure.training.curve import Curve
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect

WORSE = -0.1
"""Training skill below which the answers are worse than a constant one, and not just no better."""


class NegatedLoss(Rule):
    """
    What it finds:
    An own loss that falls while the answers get worse than a constant one: a score, such as the Dice coefficient or R2,
    returned as it is, or a minus too many.

    Why training stops:
    An optimiser minimises. It does well what it is told: it looks for the answers with the lowest score.

    What you see:
    A loss that falls steadily, often below 0 and on to -inf and NaN, and an accuracy that falls with it.

    How it is proven:
    The loss is multiplied by -1, and the same network trained from the same seeds.

    When to ignore it:
    When labels are placeholders and the loss does not compare answers with them; the trial tells.

    References:
    Milletari, Navab, Ahmadi 2016, "V-Net", section 3, for the Dice loss as 1 minus the coefficient; the Keras guide on
    losses: "The purpose of loss functions is to compute the quantity that a model should seek to minimize".
    """

    code = "OUT128"
    severity = "error"
    echo_of = ("undefined-operation", "loss-ignores-predictions", "swapped-loss-arguments", "non-finite-inputs")
    sick = Example(
        """
def dice(y_true, y_pred):
    both = keras.ops.sum(y_true * y_pred)
    return 2 * both / (keras.ops.sum(y_true) + keras.ops.sum(y_pred) + 1e-6)

model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.Adam(0.01), loss=dice, metrics=["accuracy"])
y, y_val = y.reshape(-1, 1), y_val.reshape(-1, 1)
model.fit(x, y, epochs=10, validation_data=(x_val, y_val), verbose=0)
"""
    )
    healthy = Example(
        """
def dice_loss(y_true, y_pred):
    both = keras.ops.sum(y_true * y_pred)
    return 1 - 2 * both / (keras.ops.sum(y_true) + keras.ops.sum(y_pred) + 1e-6)

model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.Adam(0.01), loss=dice_loss, metrics=["accuracy"])
y, y_val = y.reshape(-1, 1), y_val.reshape(-1, 1)
model.fit(x, y, epochs=20, validation_data=(x_val, y_val), verbose=0)
"""
    )

    def check(self, setup: Setup, contract: Contract, curve: Curve, skill: Skill) -> Judgement:
        if not setup.loss.custom or not setup.loss.name:
            return NotApplicable("the loss is Keras's own, or there is none")
        if not paired(setup, contract):
            return NotApplicable(UNPAIRED)
        if not np.isfinite(skill.train):
            return NotApplicable("the answers cannot be scored")
        if skill.train > WORSE:
            return Cleared(f"the training rows are answered with the skill {skill.train:.2f}", skill.train, WORSE)
        start = curve.losses[np.isfinite(curve.losses)][:1]
        if not len(start) or not curve.lowest < start[0]:
            return Cleared("the loss did not fall", curve.lowest, float(start[0]) if len(start) else None)
        return Suspect(
            message="the loss falls while the answers get worse: it is lowest for wrong ones",
            confidence="likely",
            location=setup.loss_location("lowest for wrong answers"),
            evidence=gathered(
                Evidence(
                    measure="training-skill",
                    value=skill.train,
                    expected=0.0,
                    text=f"the training skill ends at {skill.train:.2f}, worse than the best constant answer's 0",
                ),
                Evidence(
                    measure="lowest-loss",
                    value=curve.lowest,
                    expected=float(start[0]),
                    text=f"meanwhile the loss fell from {start[0]:.4g} to {curve.lowest:.4g}",
                ),
                first_non_finite(curve),
            ),
            cures=(NegateLoss(),),
            leads_to=(
                "learning-rate-too-high",
                "learning-rate-too-low",
                "diverging-loss",
                "undefined-operation",
                "saturated-activation",
                "saturated-loss-clip",
                "dying-relu",
                "unscaled-targets",
                "bounded-output",
                "too-few-updates",
                "vanishing-gradient",
            ),
        )
