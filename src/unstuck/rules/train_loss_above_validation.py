"""EVA103: a training loss above the validation loss, and no fault."""

from __future__ import annotations

import numpy as np

from unstuck.finding import Evidence
from unstuck.measure.seen import gathered
from unstuck.measure.setup import Setup
from unstuck.measure.skill import Skill
from unstuck.measure.training.curve import Curve
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect

ABOVE = 1.25
"""Reported training loss over validation loss from which people ask; a tenth more is in every second log."""
EXPLAINED = 0.9
"""Share of the difference that vanishes when the training rows are evaluated like the held-out ones."""
DROPPING = ("Dropout", "SpatialDropout1D", "SpatialDropout2D", "AlphaDropout", "GaussianDropout", "GaussianNoise")


class TrainLossAboveValidation(Rule):
    """
    What it finds:
    A reported training loss clearly above the validation loss that is not there when the training rows are evaluated.

    Why training stops:
    It does not. The two numbers are measured differently: the training loss with dropout, noise and augmentation on,
    and as a mean over an epoch in which the weights still improved.

    What you see:
    A validation curve below the training curve.

    How it is proven:
    The recorded training rows are evaluated with the final weights, as the validation rows were, and the two losses
    are compared.

    When to ignore it:
    Always: this is an explanation, not a fault. Where evaluation does not explain the difference nothing is said here.

    References:
    The Keras FAQ, "Why is my training loss much higher than my testing loss?"; Srivastava et al. 2014, "Dropout".
    """

    code = "EVA103"
    severity = "note"
    echo_of = ("dropout-too-strong", "too-few-updates", "batchnorm-tiny-batch")
    sick = Example(
        """
model = keras.Sequential([
    keras.layers.Flatten(),
    keras.layers.Dense(64, activation="relu"),
    keras.layers.Dropout(0.6),
    keras.layers.Dense(10, activation="softmax"),
])
model.compile(keras.optimizers.Adam(0.003), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, validation_data=(x_val, y_val), epochs=12, verbose=0)
""",
        data="images",
    )
    healthy = Example(
        """
model = keras.Sequential([
    keras.layers.Flatten(),
    keras.layers.Dense(64, activation="relu"),
    keras.layers.Dense(10, activation="softmax"),
])
model.compile(keras.optimizers.Adam(0.003), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, validation_data=(x_val, y_val), epochs=12, verbose=0)
""",
        data="images",
    )

    def check(self, setup: Setup, curve: Curve, skill: Skill) -> Judgement:
        if not len(curve.held) or not np.isfinite([curve.held[-1], skill.reported_loss, skill.evaluated_loss]).all():
            return NotApplicable("no training and validation loss to compare")
        reported, held = skill.reported_loss, float(curve.held[-1])
        evaluated = skill.evaluated_loss
        if held <= 0 or reported / held < ABOVE:
            return Cleared(
                "the training loss is not above the validation loss", reported / held if held > 0 else None, ABOVE
            )
        explained = (reported - evaluated) / (reported - held)
        if explained < EXPLAINED:
            return Cleared(f"evaluating the training rows explains {explained:.0%} of it", explained, EXPLAINED)
        dropping = [layer for layer in setup.layers if layer.kind in DROPPING]
        reasons = [f"{len(dropping)} layers that drop or add noise in training only"] if dropping else []
        reasons += ["a mean over the epoch while the weights still improved"]
        return Suspect(
            message="the training loss is above the validation loss only because it is measured differently",
            confidence="proven",
            location=setup.layer_location(dropping[0], label="on in training only")
            if dropping
            else setup.fit_location(),
            evidence=gathered(
                Evidence(
                    measure="evaluated-training-loss",
                    value=evaluated,
                    expected=reported,
                    text=f"fit reported {reported:.4g} and {held:.4g} on validation; the training rows evaluated like "
                    f"the validation rows cost {evaluated:.4g}",
                ),
                Evidence(measure="reasons", text=f"what differs: {', '.join(reasons)}", value=len(reasons)),
            ),
            conclusion="evaluated alike, the training rows are not worse: there is nothing to repair",
            impairs=False,
        )
