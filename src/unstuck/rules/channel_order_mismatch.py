"""NET109: images with their channels first in a network that expects them last."""

from __future__ import annotations

from unstuck.experiments.interventions.axes import ChannelsLast
from unstuck.finding import Evidence
from unstuck.measure.data import Data
from unstuck.measure.seen import gathered
from unstuck.measure.setup import Setup
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect

CHANNELS = (1, 2, 3, 4)
"""Grey, grey with alpha or two sensors, colour, colour with alpha."""
LARGER = 2
"""A picture is at least twice as high and wide as it has channels; 4 x 4 with 3 channels says nothing."""


class ChannelOrderMismatch(Rule):
    """
    What it finds:
    Image inputs of shape (channels, height, width) in front of a convolution with data_format channels_last.

    Why training stops:
    The kernel slides over channels and rows as if they were rows and columns, and the columns are taken for channels.
    Nothing that makes a convolution useful holds for those axes.

    What you see:
    No error, and an accuracy well below what a small network reaches on the same images.

    How it is proven:
    By the shape of the recorded rows and the settings of the layer. The same network is trained on rows with the
    channels moved last, from the same seeds.

    When to ignore it:
    Where the network learns all the same, which happens on small images, nothing is said.

    References:
    keras.config.image_data_format; keras/src/layers/convolutional/conv2d.py (data_format).
    """

    code = "NET109"
    severity = "error"
    sick = Example(
        """
def pictures(rows):
    noise = rng.normal(size=(len(rows), 3, 8, 8)).astype("float32")
    noise[:, 0] += np.where(rows == 1, 0.4, 0)[:, None, None]
    noise[:, 2] -= np.where(rows == 1, 0.4, 0)[:, None, None]
    return noise

x, x_val = pictures(y), pictures(y_val)
model = keras.Sequential([
    keras.Input((3, 8, 8)),
    keras.layers.Conv2D(8, 1, activation="relu"),
    keras.layers.GlobalAveragePooling2D(),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.Adam(0.03), loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, validation_data=(x_val, y_val), epochs=10, verbose=0)
""",
        data="noise",
    )
    healthy = Example(
        """
def pictures(rows):
    noise = rng.normal(size=(len(rows), 8, 8, 3)).astype("float32")
    noise[..., 0] += np.where(rows == 1, 0.4, 0)[:, None, None]
    noise[..., 2] -= np.where(rows == 1, 0.4, 0)[:, None, None]
    return noise

x, x_val = pictures(y), pictures(y_val)
model = keras.Sequential([
    keras.Input((8, 8, 3)),
    keras.layers.Conv2D(8, 1, activation="relu"),
    keras.layers.GlobalAveragePooling2D(),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.Adam(0.03), loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, validation_data=(x_val, y_val), epochs=10, verbose=0)
""",
        data="noise",
    )

    def check(self, setup: Setup, data: Data) -> Judgement:
        first = next((layer for layer in setup.layers if "Conv2D" in layer.kind), None)
        if first is None or len(data.x) != 1 or data.x[0].ndim != 4:
            return NotApplicable("no images go into a convolution")
        if first.config.get("data_format", "channels_last") != "channels_last":
            return Cleared("the convolution expects the channels first")
        if any(layer.kind in ("Permute", "Reshape") for layer in setup.layers if layer.index < first.index):
            return Cleared("the axes are put in another order before the convolution")
        channels, height, width = data.x[0].shape[1:]
        if channels not in CHANNELS or min(height, width) < LARGER * max(channels, 2):
            return Cleared(f"images of {height} rows: the first axis is not that of channels", channels, max(CHANNELS))
        return Suspect(
            message=f"images of shape ({channels}, {height}, {width}) go into a convolution that expects channels last",
            location=setup.layer_location(first, label="data_format channels_last"),
            evidence=gathered(
                Evidence(
                    measure="length-of-the-first-axis",
                    value=channels,
                    expected=height,
                    text=f"the rows are ({channels}, {height}, {width}): {first.name} takes columns for channels "
                    f"and the {channels} channels for rows of the picture",
                )
            ),
            scope={"layer": first.name},
            cures=(ChannelsLast(),),
            leads_to=("model-too-small", "memorising", "learning-rate-too-low", "too-few-updates", "no-signal"),
        )
