"""Inputs that are scaled to the unit range twice."""

from __future__ import annotations

import numpy as np

from unstuck.experiments.interventions.rescaling import MultiplyInputs, WithoutRescaling
from unstuck.finding import Evidence
from unstuck.measure.data import Data
from unstuck.measure.network.entrance import Entrance
from unstuck.measure.seen import gathered, loss_at_chance
from unstuck.measure.setup import Setup
from unstuck.measure.skill import Skill
from unstuck.rules.rule import Cleared, Example, NotApplicable, Rule, Suspect

DIVIDES = 1 / 64
"""Scale of a Rescaling layer from which it is meant for bytes: 1/127.5 and 1/255 are usual."""
UNIT = 2.0
"""Range of values (largest less smallest) up to which inputs are in a unit range, 0 to 1 or -1 to 1, already."""
STANDARDISED = 3.0
"""Standard deviation up to which inputs that go below 0, as bytes do not, are standardised already."""
SPREAD = 0.02
"""Standard deviation below which scaled inputs are fifty times smaller than weights and rates are made for; pixels in
0 to 1 have 0.2 to 0.4."""
BYTE = 255


class RescaledTwice(Rule):
    """The inputs are divided by 255 twice.

    What it finds
    Inputs in a unit range, or standardised, before a Rescaling layer made for bytes (of your own, or inside an
    EfficientNet or a ConvNeXt), and inputs that are bytes divided by 255 twice.

    Why training stops
    What reaches the first weights lies between 0 and 0.004. Beside the biases nothing of it is left, and gradients of
    the first layer are as small.

    What you see
    A loss at ln C that hardly falls, an accuracy of 1/C for many epochs; the same network works on raw bytes.

    How it is proven
    The scales are multiplied. The same network is trained from the same seeds with one of the two left out.

    When to ignore it
    When a normalising layer right after the first weights makes up for it; then the rule is cleared.

    References
    tensorflow/tensorflow#48412; keras-team/keras-io#1549; qubvel/efficientnet#84;
    keras/src/applications/efficientnet.py.
    """

    code = "PIP104"
    severity = "error"
    echo_of = ("blank-inputs", "non-finite-inputs")
    sick = Example(
        """
model = keras.Sequential([
    keras.layers.Rescaling(1 / 255),
    keras.layers.Flatten(),
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(10, activation="softmax"),
])
model.compile("adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=10, validation_data=(x_val, y_val), verbose=0)
""",
        data="images",
    )
    healthy = Example(
        """
images, images_val = np.round(255 * x), np.round(255 * x_val)
model = keras.Sequential([
    keras.layers.Rescaling(1 / 255),
    keras.layers.Flatten(),
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(10, activation="softmax"),
])
model.compile("adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(images, y, epochs=20, validation_data=(images_val, y_val), verbose=0)
""",
        data="images",
    )

    def check(
        self, setup: Setup, data: Data, entrance: Entrance, skill: Skill | None
    ) -> Cleared | NotApplicable | Suspect:
        if len(data.x) != 1 or data.x[0].size == 0:
            return NotApplicable("the model has several inputs")
        values = data.x[0].astype(np.float64)
        values = values[np.isfinite(values)]
        if not values.size or np.ptp(values) == 0:
            return NotApplicable("the inputs do not vary")
        by_layer = bool(entrance.rescaling) and abs(entrance.scale) <= DIVIDES
        spread = float(values.std()) * (abs(entrance.scale) if entrance.rescaling else 1.0)
        twice_by_layer = by_layer and (np.ptp(values) <= UNIT or (values.min() < 0 and values.std() <= STANDARDISED))
        twice_by_hand = not by_layer and _bytes_over_square(values)
        if not (twice_by_layer or twice_by_hand):
            return Cleared("the inputs are scaled once at most")
        if entrance.normalised:
            return Cleared("a normalising layer at the first weights makes up for the scale")
        if not spread <= SPREAD:
            return Cleared(f"the scaled inputs still have the standard deviation {spread:.3g}", spread, SPREAD)
        names = tuple(layer.name for layer in entrance.rescaling)
        place = setup.layer_location(entrance.rescaling[0], label="scales once more") if names else None
        given = setup.sources.argument(setup.sites["fit"], "x", 0, label="scaled already") or setup.fit_location()
        return Suspect(
            message=f"the inputs are scaled twice: they reach the first weights with the size {spread:.2g}",
            location=place or given,
            related=(given,) if place else (),
            evidence=gathered(
                Evidence(
                    measure="input-range",
                    text=f"the inputs go from {values.min():.3g} to {values.max():.3g} before the model",
                    value=float(values.max()),
                    expected=BYTE if by_layer else 1.0,
                ),
                Evidence(
                    measure="layer-scale",
                    text=f"{' and '.join(names)} multiplies them by {entrance.scale:.3g}",
                    value=entrance.scale,
                )
                if names
                else Evidence(
                    measure="byte-over-square",
                    text="each of them is a whole number divided by 255 twice",
                    value=float(np.round(values.max() * BYTE**2)),
                ),
                Evidence(
                    measure="scaled-spread",
                    text=f"scaled, their standard deviation is {spread:.2g}",
                    value=spread,
                    expected=SPREAD,
                ),
                loss_at_chance(skill),
            ),
            cures=(WithoutRescaling(names) if by_layer else MultiplyInputs(BYTE),),
            leads_to=(
                "unscaled-inputs",
                "dying-relu",
                "vanishing-gradient",
                "learning-rate-too-low",
                "too-few-updates",
                "model-too-small",
                "wrong-backbone-preprocessing",
                "integer-dtype-accident",
            ),
        )


def _bytes_over_square(values: np.ndarray) -> bool:
    """Whether all values are whole numbers from 0 to 255, divided by 255 twice."""
    whole = values * BYTE**2
    in_range = whole.min() >= 0 and 1 < whole.max() <= BYTE + 0.5
    return bool(in_range and np.abs(whole - np.round(whole)).max() < 0.01)
