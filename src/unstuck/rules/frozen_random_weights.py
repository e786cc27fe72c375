"""NET112: what is frozen was never trained."""

from __future__ import annotations

from unstuck.experiments.interventions.trainable import Unfreeze, frozen_at
from unstuck.finding import Evidence, Fix
from unstuck.measure.case import Missing
from unstuck.measure.network.backbone import Backbone
from unstuck.measure.network.given import Given
from unstuck.measure.seen import gathered
from unstuck.measure.setup import Setup
from unstuck.rules.everything_frozen import STATISTICS_ONLY
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect

MOST = 0.5
"""Share of the frozen weights that must be random: a file may leave a layer or two of a backbone as they were."""
ENOUGH = 50
"""Frozen weights under which a test of their distribution tells nothing."""


class FrozenRandomWeights(Rule):
    """
    What it finds:
    Frozen layers before the head whose weights are what their initialisers draw: weights=None or a file that was not
    loaded, under base.trainable = False.

    Why training stops:
    Only the layers after them learn, from random features of the inputs, which keep some of what is there and lose the
    rest.

    What you see:
    A loss that settles early and high; a score that more epochs, another rate or a larger head do not raise.

    How it is proven:
    The frozen weights when fit began are compared with fresh draws of their initialisers (biases and statistics must
    be equal, kernels of one distribution by a two-sample Kolmogorov-Smirnov test). The same network is trained from the
    same seeds with every layer trainable. A backbone of keras.applications stays likely: the weights it was meant to
    have cannot be tried.

    When to ignore it:
    When random features are the method (extreme learning machines, reservoirs, random projections).

    References:
    The Keras guide "Transfer learning and fine-tuning"; keras.applications (weights=None is random initialisation).
    """

    code = "NET112"
    severity = "error"
    sick = Example(
        """
base = keras.Sequential([
    keras.Input((30,)),
    keras.layers.Dense(8, activation="relu"),
    keras.layers.Dense(4, activation="relu"),
    keras.layers.Dense(2, activation="relu"),
])
base.trainable = False
model = keras.Sequential([base, keras.layers.Dense(1, activation="sigmoid")])
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, validation_data=(x_val, y_val), epochs=30, verbose=0)
"""
    )
    healthy = Example(
        """
base = keras.Sequential([
    keras.Input((30,)),
    keras.layers.Dense(8, activation="relu"),
    keras.layers.Dense(4, activation="relu"),
])
before = keras.Sequential([base, keras.layers.Dense(1, activation="sigmoid")])
before.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy")
before.fit(x[:300], y[:300], epochs=20, verbose=0)
base.trainable = False
model = keras.Sequential([base, keras.layers.Dense(1, activation="sigmoid")])
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, validation_data=(x_val, y_val), epochs=20, verbose=0)
"""
    )

    def check(self, setup: Setup, given: Given | None, backbone: Backbone | None) -> Judgement:
        frozen = [layer for layer in setup.hidden if not layer.trainable and layer.kind not in STATISTICS_ONLY]
        total = sum(layer.params or 0 for layer in frozen)
        if not frozen or not any(layer.trainable and layer.params for layer in setup.layers):
            return NotApplicable("no layer is frozen before one that is trained")
        if backbone is not None and backbone.pretrained:
            return NotApplicable(f"the program gives {backbone.name} its weights")
        if total < ENOUGH:
            return NotApplicable(f"{total} weights are frozen: too few to tell what drew them")
        if given is None:
            raise Missing("the weights training began with", "give the model an input shape")
        if any(layer.name in given.later for layer in frozen):
            return Cleared("a later fit trains what is frozen here")
        random = [layer for layer in frozen if not given.holds(layer.name)]
        count = sum(layer.params or 0 for layer in random)
        if count <= MOST * total:
            return Cleared(f"{total - count:,} of {total:,} frozen weights are no draws of their initialisers")
        places = frozen_at(setup, random)
        what = f"{backbone.name} is" if backbone else f"{len(random)} layers are"
        return Suspect(
            message=f"{what} frozen with random weights, which nothing has trained",
            location=backbone.location if backbone else places[0] if places else setup.layer_location(random[0]),
            related=places[:2] if backbone else places[1:3],
            evidence=gathered(
                Evidence(
                    measure="frozen-random-weights",
                    value=count,
                    of=total,
                    text=f"{count:,} of {total:,} frozen weights are as their initialisers draw them",
                )
            ),
            # The weights that a backbone was meant to have cannot be had here; a few epochs of it all tell nothing.
            cures=() if backbone else (Unfreeze(alternative="load the weights they were meant to have, before fit"),),
            fix=Fix(title='give it weights="imagenet" or a file, or let it train', applicability="sketch")
            if backbone
            else None,
            harmless=f"{what} frozen with random weights",
            leads_to=(
                "learning-rate-too-low",
                "model-too-small",
                "too-few-updates",
                "vanishing-gradient",
                "dying-relu",
                "unscaled-inputs",
                "batchnorm-in-frozen-backbone",
            ),
        )
