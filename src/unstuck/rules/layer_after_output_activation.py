"""Layers that spoil the probabilities after they were made."""

from __future__ import annotations

import numpy as np

from unstuck.experiments.interventions.dropout import DROPPING
from unstuck.experiments.interventions.remove_layers import RemoveLayers
from unstuck.finding import Evidence
from unstuck.measure.contract import UNPAIRED, Contract, paired, probabilities
from unstuck.measure.replay import Replay
from unstuck.measure.seen import gathered, loss_at_chance
from unstuck.measure.setup import BINARY, CATEGORICAL, SPARSE, Setup
from unstuck.measure.skill import Skill
from unstuck.rules.rule import Cleared, Example, NotApplicable, Rule, Suspect

NORMALISING = frozenset({"BatchNormalization", "LayerNormalization", "GroupNormalization", "UnitNormalization"})
SPOILING = DROPPING | NORMALISING | {"GaussianNoise"}
"""Layers that change probabilities: they zero, rescale or shift them."""
APART = 2.0
"""Loss in training mode over loss in inference mode from which the layers that differ between the two stand out."""


class LayerAfterOutputActivation(Rule):
    """Dropout, normalisation or noise is applied to the finished probabilities.

    What it finds
    A dropout, normalisation or noise layer after the softmax or sigmoid of the output, under a cross-entropy.

    Why training stops
    Dropout sets probabilities to 0, also that of the right class, which then costs -log(1e-7) = 16 whatever the network
    has learnt; normalisation moves them out of 0 to 1, where the loss clips and has no gradient.

    What you see
    A training loss that is huge and noisy (8.2) beside a fine validation loss (.16), because dropout is off there.

    How it is proven
    The loss of the same rows and weights is shown in training and in inference mode. The same network without the layer
    is trained from the same seeds.

    When to ignore it
    When the run is good all the same.

    References
    keras/src/layers/regularization/dropout.py. keras-team/keras#5992.
    """

    code = "OUT126"
    severity = "error"
    sick = Example(
        """
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(3, activation="softmax"),
    keras.layers.BatchNormalization(),
])
model.compile(keras.optimizers.Adam(0.01), loss="categorical_crossentropy", metrics=["accuracy"])
validation = (x_val, keras.utils.to_categorical(y_val, 3))
model.fit(x, keras.utils.to_categorical(y, 3), epochs=10, validation_data=validation, verbose=0)
""",
        data="three-classes",
    )
    healthy = Example(
        """
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.BatchNormalization(),
    keras.layers.Dense(3, activation="softmax"),
])
model.compile(keras.optimizers.Adam(0.01), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=20, validation_data=(x_val, y_val), verbose=0)
""",
        data="three-classes",
    )

    def check(
        self, setup: Setup, contract: Contract, replay: Replay | None, skill: Skill | None
    ) -> Cleared | NotApplicable | Suspect:
        if setup.loss.name not in BINARY | CATEGORICAL | SPARSE or setup.loss.custom:
            return NotApplicable("the loss is not a cross-entropy")
        if not paired(setup, contract) or setup.model_kind == "subclassed":
            return NotApplicable(UNPAIRED)
        last = probabilities(setup)
        if last is None:
            return NotApplicable("no softmax or sigmoid makes probabilities at the end")
        spoiling = [layer for layer in setup.layers if layer.index > last.index and layer.kind in SPOILING]
        if not spoiling:
            return Cleared("nothing that changes the probabilities follows them")
        kinds = " and ".join(dict.fromkeys(layer.kind for layer in spoiling))
        return Suspect(
            message=f"{kinds} follows the {last.activation} that makes the probabilities",
            confidence="likely",
            location=setup.layer_location(spoiling[0], label="changes finished probabilities"),
            related=(setup.layer_location(last, "activation", label="probabilities"),),
            evidence=gathered(_apart(replay, skill), loss_at_chance(skill)),
            scope={"layer": spoiling[0].name},
            cures=(RemoveLayers(tuple(layer.name for layer in spoiling)),),
            leads_to=(
                "dropout-too-strong",
                "missing-output-activation",
                "saturated-loss-clip",
                "learning-rate-too-high",
                "learning-rate-too-low",
                "diverging-loss",
                "momentum-oscillation",
                "too-few-updates",
            ),
        )


def _apart(replay: Replay | None, skill: Skill | None) -> Evidence | None:
    if replay is None or skill is None or not np.isfinite([replay.last.loss, skill.evaluated_loss]).all():
        return None
    training, inference = replay.last.loss, skill.evaluated_loss
    if training < APART * inference:
        return None
    text = f"the final weights have a loss of {training:.4g} in training mode and {inference:.4g} in inference mode"
    return Evidence(measure="training-mode-loss", text=text, value=training, expected=inference)
