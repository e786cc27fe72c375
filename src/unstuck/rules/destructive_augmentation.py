"""Augmentation that takes away what the label depends on."""

from __future__ import annotations

import numpy as np

from unstuck.experiments.interventions.augmentation import WithoutAugmentation, augmenting
from unstuck.experiments.interventions.epochs import ScaleEpochs
from unstuck.finding import Evidence
from unstuck.measure.data import Data
from unstuck.measure.seen import gathered
from unstuck.measure.setup import Setup
from unstuck.measure.skill import Skill
from unstuck.rules.rule import Cleared, Example, NotApplicable, Rule, Suspect

NOTHING = 0.6
"""Training loss over that of the best constant answer from which next to nothing of the labels survives the
augmentation. Augmentation that helps costs training loss too, but far less."""


class DestructiveAugmentation(Rule):
    """The augmentation layers leave too little to tell the labels by.

    What it finds
    Random layers of Keras (rotation, flip, zoom, crop, contrast, erasing, noise) in a network whose training loss,
    taken with them, stays near that of a constant answer.

    Why training stops
    A label must survive the augmentation. A digit that is turned upside down, left and right exchanged, an image that
    is erased or shifted out of view: what is left does not determine the label.

    What you see
    A training score near chance, often below the validation score, which is taken without augmentation.

    How it is proven
    The same network is trained from the same seeds without the augmentation, beside longer training with it.

    When to ignore it
    When the run is short: augmentation pays late. Then longer training helps as well, and is shown beside.

    References
    keras/src/layers/preprocessing/image_preprocessing; omoindrot/tensorflow-triplet-loss#38.
    """

    code = "PIP108"
    severity = "error"
    sick = Example(
        """
x = np.random.default_rng(0).normal(size=(1600, 8, 8, 1)).astype("float32")
y = (x[:, :, :4].sum((1, 2, 3)) > x[:, :, 4:].sum((1, 2, 3))).astype("float32")
model = keras.Sequential([
    keras.Input((8, 8, 1)),
    keras.layers.RandomFlip("horizontal"),
    keras.layers.Flatten(),
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile("adam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x[:1000], y[:1000], epochs=8, validation_data=(x[1000:], y[1000:]), verbose=0)
"""
    )
    healthy = Example(
        """
x = np.random.default_rng(0).normal(size=(1600, 8, 8, 1)).astype("float32")
y = (x[:, :, :4].sum((1, 2, 3)) > x[:, :, 4:].sum((1, 2, 3))).astype("float32")
model = keras.Sequential([
    keras.Input((8, 8, 1)),
    keras.layers.RandomFlip("vertical"),
    keras.layers.Flatten(),
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile("adam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x[:1000], y[:1000], epochs=8, validation_data=(x[1000:], y[1000:]), verbose=0)
"""
    )

    def check(self, setup: Setup, data: Data, skill: Skill) -> Cleared | NotApplicable | Suspect:
        layers = [layer for layer in setup.layers if layer.builtin and augmenting(layer.kind)]
        if not layers:
            return NotApplicable("the model has no augmentation layer")
        if not np.isfinite([skill.reported_loss, skill.constant_loss]).all() or skill.constant_loss <= 0:
            return NotApplicable("the training loss has no constant answer to compare with")
        share = skill.reported_loss / skill.constant_loss
        if share < NOTHING:
            return Cleared(f"with augmentation the training loss is {share:.2f} of a constant answer's", share, NOTHING)
        names = ", ".join(layer.name for layer in layers)
        return Suspect(
            message=f"{names} may destroy what the labels depend on",
            location=setup.layer_location(layers[0], label="random in training only") or setup.fit_location(),
            related=tuple(setup.layer_location(layer) for layer in layers[1:]),
            evidence=gathered(
                Evidence(
                    measure="augmented-loss-over-constant",
                    text=f"with augmentation the training loss is {skill.reported_loss:.4g}; a constant answer has"
                    f" {skill.constant_loss:.4g}",
                    value=share,
                    expected=NOTHING,
                ),
                Evidence(
                    measure="plain-loss",
                    text=f"without it the same weights have {skill.evaluated_loss:.4g} on the same rows",
                    value=skill.evaluated_loss,
                    expected=skill.reported_loss,
                )
                if np.isfinite(skill.evaluated_loss)
                else None,
            ),
            cures=(WithoutAugmentation(),),
            rivals=(ScaleEpochs(3),),
            leads_to=("model-too-small", "learning-rate-too-low", "too-few-updates", "dropout-too-strong"),
        )
