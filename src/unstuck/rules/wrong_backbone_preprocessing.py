"""A pretrained network that is fed images prepared for another one."""

from __future__ import annotations

import numpy as np

from unstuck.experiments.interventions.preparation import PrepareAs
from unstuck.finding import Evidence
from unstuck.measure.case import Missing
from unstuck.measure.data import Data
from unstuck.measure.network.backbone import Backbone
from unstuck.measure.seen import gathered, loss_at_chance
from unstuck.measure.setup import Setup
from unstuck.measure.skill import Skill
from unstuck.rules.rule import Cleared, Example, NotApplicable, Rule, Suspect

EDGE = 0.05
"""How far values may leave a range and still count as prepared for it: interpolation overshoots a little."""
BYTES = 3.0
"""Largest value from which images are bytes; standardised ones end at 2.7."""
CENTRED = -20.0
"""Smallest value below which bytes had the mean of ImageNet subtracted, which is about 110."""
SAID = {
    "caffe": "blue first, less the mean of ImageNet",
    "tf": "-1 to 1",
    "torch": "standardised by channel",
    "raw": "0 to 255",
    "unit": "0 to 1",
}
PREPARING = frozenset(
    {"Lambda", "Rescaling", "Normalization", "Subtract", "TrueDivide", "Divide", "GetItem", "Multiply"}
)
"""Layers and operations that may prepare the images inside the model."""


class WrongBackbonePreprocessing(Rule):
    """The images are not in the range that the weights of the network were trained on.

    What it finds
    A network of keras.applications with weights, and inputs in the range of another preparation: 0 to 1 or 0 to 255
    where -1 to 1 is expected, the preprocess_input of another module.

    Why training stops
    Each family was trained on images prepared in its own way. On others its features are those of pictures that are
    too dark, too bright or of wrong colours; frozen, they cannot adapt.

    What you see
    A score far below what transfer learning usually gives, from the first epoch on.

    How it is proven
    The class and the import are read from the source, the range from the images. The same network is trained from the
    same seeds on images prepared as its weights expect.

    When to ignore it
    When you trained the weights yourself on images prepared so.

    References
    keras/src/applications/imagenet_utils.py (preprocess_input); tensorflow/tensorflow#43938; tensorflow/similarity#224.
    """

    code = "PIP105"
    severity = "warning"
    echo_of = ("rescaled-twice", "blank-inputs")
    sick = Example(
        """
from keras.applications.vgg16 import preprocess_input

images, images_val = (np.round(255 * np.tile(np.kron(a, np.ones((1, 4, 4, 1))), 3)) for a in (x[:120], x_val[:80]))
images, images_val = preprocess_input(images.astype("float32")), preprocess_input(images_val.astype("float32"))
network = keras.applications.MobileNet(weights=None, include_top=False, input_shape=(32, 32, 3), alpha=0.25)
network.set_weights(network.get_weights())  # here: weights of your own, loaded from a file
first = keras.Model(network.input, network.get_layer("conv1_relu").output)
first.trainable = False
model = keras.Sequential([first, keras.layers.Flatten(), keras.layers.Dense(10, activation="softmax")])
model.compile(keras.optimizers.SGD(0.01), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(images, y[:120], batch_size=8, epochs=20, validation_data=(images_val, y_val[:80]), verbose=0)
""",
        data="images",
        backends=("jax",),  # TensorFlow's draw of the weights learns in spite of it
    )
    healthy = Example(
        """
from keras.applications.mobilenet import preprocess_input

images, images_val = (np.round(255 * np.tile(np.kron(a, np.ones((1, 4, 4, 1))), 3)) for a in (x[:120], x_val[:80]))
images, images_val = preprocess_input(images.astype("float32")), preprocess_input(images_val.astype("float32"))
network = keras.applications.MobileNet(weights=None, include_top=False, input_shape=(32, 32, 3), alpha=0.25)
network.set_weights(network.get_weights())  # here: weights of your own, loaded from a file
first = keras.Model(network.input, network.get_layer("conv1_relu").output)
first.trainable = False
model = keras.Sequential([first, keras.layers.Flatten(), keras.layers.Dense(10, activation="softmax")])
model.compile("adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(images, y[:120], epochs=15, validation_data=(images_val, y_val[:80]), verbose=0)
""",
        data="images",
    )

    def check(
        self, setup: Setup, data: Data | None, backbone: Backbone | None, skill: Skill | None
    ) -> Cleared | NotApplicable | Suspect:
        if backbone is None:
            return NotApplicable("the file that calls fit does not build one network of keras.applications")
        if data is None:
            raise Missing("the training rows", "hand arrays to fit, or record without --no-samples")
        if not backbone.pretrained:
            return NotApplicable(f"{backbone.name} has no pretrained weights, and expects no range")
        if len(data.x) != 1 or data.x[0].ndim != 4 or data.x[0].shape[-1] != 3:
            return NotApplicable("the inputs are not colour images")
        if backbone.mode != "raw" and any(layer.kind in PREPARING for layer in setup.layers):
            return NotApplicable("a layer of the model may prepare the images")
        given = _mode(data.x[0])
        if given == backbone.mode:
            return Cleared(f"the images are as {backbone.name} expects them: {SAID[given]}")
        other = backbone.prepared_mode is not None and backbone.prepared_mode != backbone.mode
        return Suspect(
            message=f"{backbone.name} expects images {SAID[backbone.mode]}, and is given {SAID[given]}",
            location=backbone.location,
            related=(setup.sources.argument(setup.sites["fit"], "x", 0, label=SAID[given]),),
            evidence=gathered(
                Evidence(
                    measure="image-range",
                    text=f"the images go from {data.x[0].min():.4g} to {data.x[0].max():.4g}",
                    value=float(data.x[0].max()),
                ),
                Evidence(
                    measure="preprocess-module",
                    text=f"preprocess_input comes from {backbone.prepared}, which prepares images {SAID[given]}",
                )
                if other
                else None,
                loss_at_chance(skill),
            ),
            cures=(PrepareAs(given, backbone.mode),),
            leads_to=(
                "unscaled-inputs",
                "learning-rate-too-high",
                "diverging-loss",
                "model-too-small",
                "dying-relu",
                "too-few-updates",
            ),
        )


def _mode(images: np.ndarray) -> str:
    """The preparation that images look like, by their range."""
    low, high = float(np.nanmin(images)), float(np.nanmax(images))
    if low < CENTRED:
        return "caffe"
    if high > BYTES:
        return "raw"
    if low >= -EDGE:
        return "unit" if high <= 1 + EDGE else "raw"
    return "tf" if low >= -1 - EDGE and high <= 1 + EDGE else "torch"
