"""No weight may change."""

from __future__ import annotations

from unstuck.experiments.interventions.trainable import Unfreeze, frozen_at
from unstuck.finding import Evidence
from unstuck.measure.replay import Replay
from unstuck.measure.seen import gathered, standstill, steady_loss
from unstuck.measure.setup import Layer, Setup
from unstuck.measure.training.curve import Curve
from unstuck.rules.rule import Cleared, Example, NotApplicable, Rule, Suspect

STATISTICS_ONLY = frozenset(
    {
        "Normalization",
        "Discretization",
        "CategoryEncoding",
        "IntegerLookup",
        "StringLookup",
        "TextVectorization",
        "Hashing",
        "Dropout",
        "GaussianDropout",
        "GaussianNoise",
        "AlphaDropout",
        "SpatialDropout1D",
        "SpatialDropout2D",
    }
)
"""Layers whose variables are statistics or random seeds and never trained."""


class EverythingFrozen(Rule):
    """No layer is trainable.

    What it finds
    A model all of whose layers with weights have trainable=False when fit begins: the head was added before the loop
    that freezes, or model.trainable was set where base.trainable was meant.

    Why training stops
    The optimiser is given no weights. The loss is computed and nothing follows from it.

    What you see
    The same loss to the last digit in every epoch; accuracy stays where the random weights put it. No backend raises.

    How it is proven
    By the flags of the layers when fit began. The recorded weights did not move; the same network is trained with every
    layer trainable.

    When to ignore it
    When fit is only used to run callbacks or to adapt statistics.

    References
    keras/src/layers/layer.py (trainable). keras-team/keras#4674, #4471.
    """

    code = "NET101"
    severity = "error"
    sick = Example(
        """
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.build(x.shape)
for layer in model.layers:
    layer.trainable = False
model.compile("adam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=4, validation_data=(x_val, y_val), verbose=0)
"""
    )
    healthy = Example(
        """
model = keras.Sequential([
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.build(x.shape)
for layer in model.layers[:-1]:
    layer.trainable = False
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=30, validation_data=(x_val, y_val), verbose=0)
"""
    )

    def check(self, setup: Setup, curve: Curve | None, replay: Replay | None) -> Cleared | NotApplicable | Suspect:
        weighted = [layer for layer in setup.layers if _has_weights(layer)]
        if not weighted:
            return NotApplicable("no layer has weights that are trained")
        if setup.custom_train_step:
            return NotApplicable("the training step is the model's own")
        free = [layer for layer in weighted if layer.trainable]
        if free:
            return Cleared(f"{len(free)} of {len(weighted)} layers with weights are trainable", len(free), 0)
        total = sum(layer.params or 0 for layer in weighted)
        places = frozen_at(setup, weighted)
        return Suspect(
            message="every layer is frozen, so no weight can change",
            confidence="proven",
            location=places[0] if places else setup.fit_location(),
            related=(*places[1:4], setup.compile_location() if places else None),
            evidence=gathered(
                Evidence(
                    measure="trainable-weights",
                    text=f"0 of {total:,} weights are trainable ({len(weighted)} layers)",
                    value=0,
                    of=total,
                ),
                standstill(replay),
                steady_loss(curve.epochs) if curve is not None else None,
            ),
            cures=(Unfreeze(),),
            conclusion="the optimiser has no variables, so no data, learning rate or number of epochs can change it",
            leads_to=(
                "vanishing-gradient",
                "learning-rate-too-low",
                "batchnorm-in-frozen-backbone",
                "cut-graph",
                "late-trainable-change",
                "silent-missing-gradient",
                "loss-ignores-predictions",
                "too-few-updates",
            ),
        )


def _has_weights(layer: Layer) -> bool:
    """Whether the layer has weights that could be trained; one not built yet is known by its units."""
    if layer.kind in STATISTICS_ONLY:
        return False
    return layer.params > 0 if layer.params is not None else "units" in layer.config or "filters" in layer.config
