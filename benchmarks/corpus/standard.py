"""Healthy programs of standard architectures, on every backend and with every kind of data that fit takes."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.corpus import healthy
from benchmarks.corpus.healthy import SPARSE, dense, sequential
from unstuck.rules.examples import prelude

AGAIN = {
    "tensorflow": (
        "mlp relu",
        "logits",
        "cnn batch norm",
        "sequence lstm",
        "tokens masked",
        "generator",
        "autoencoder",
    ),
    "torch": ("mlp tanh", "mlp dropout", "three one-hot", "cnn", "sequence gru", "PyDataset", "two outputs"),
}
"""Programs of `healthy` that are run on another backend too."""
WAVES = """\
import keras
import numpy as np

rng = np.random.default_rng(0)
y = rng.integers(0, 4, size=600)
rows, columns = np.mgrid[:32, :32]
angle, phase = (y * np.pi / 4)[:, None, None], rng.uniform(0, 6.3, size=(600, 1, 1))
waves = np.sin((rows * np.cos(angle) + columns * np.sin(angle)) * 0.8 + phase)[..., None]
x = (0.5 + 0.25 * waves + rng.normal(scale=0.1, size=(600, 32, 32, 3))).clip(0, 1).astype("float32")
x, x_val, y, y_val = x[:400], x[400:], y[:400], y[400:]
keras.utils.set_random_seed(0)
"""
BACKBONE = """\
base = keras.applications.{name}(input_shape=(32, 32, 3), weights=None, include_top=False, pooling="avg"{more})
for layer in base._flatten_layers():
    if isinstance(layer, keras.layers.BatchNormalization):
        layer.momentum = 0.9  # some hundred steps are too few for the momentum that suits ImageNet
model = keras.Sequential([base, keras.layers.Dense(4, activation="softmax")])
model.compile(keras.optimizers.Adam(0.003), loss="sparse_categorical_crossentropy")
model.fit(x, y, validation_data=(x_val, y_val), epochs=10, verbose=0)
"""
BYTES = "x, x_val = x * 255, x_val * 255\n"
RESIDUAL = """\
def block(x):
    inside = keras.layers.Conv2D(16, 3, padding="same", activation="relu")(x)
    return keras.layers.ReLU()(x + keras.layers.Conv2D(16, 3, padding="same")(inside))

entry = keras.Input((8, 8, 1))
hidden = keras.layers.Conv2D(16, 3, padding="same", activation="relu")(entry)
hidden = keras.layers.GlobalAveragePooling2D()(block(keras.layers.MaxPooling2D()(block(hidden))))
model = keras.Model(entry, keras.layers.Dense(10, activation="softmax")(hidden))
model.compile(keras.optimizers.Adam(0.003), loss="sparse_categorical_crossentropy")
model.fit(x, y, validation_data=(x_val, y_val), epochs=15, verbose=0)
"""
TRANSFORMER = """\
entry = keras.Input((10,), dtype="int32")
hidden = keras.layers.Embedding(40, 16)(entry)
seen = keras.layers.MultiHeadAttention(2, 8)(hidden, hidden)
hidden = keras.layers.LayerNormalization()(hidden + seen)
wide = keras.layers.Dense(16)(keras.layers.Dense(32, activation="relu")(hidden))
hidden = keras.layers.GlobalAveragePooling1D()(keras.layers.LayerNormalization()(hidden + wide))
model = keras.Model(entry, keras.layers.Dense(1, activation="sigmoid")(hidden))
model.compile(keras.optimizers.Adam(0.003), loss="binary_crossentropy")
model.fit(x, y, validation_data=(x_val, y_val), epochs=15, verbose=0)
"""
LOOP = """\
for epoch in range(20):
    order = np.random.default_rng(epoch).permutation(len(x))
    for first in range(0, len(x), 32):
        model.train_on_batch(x[order[first : first + 32]], y[order[first : first + 32]])
"""
PANDAS = """\
import pandas as pd

x, x_val = pd.DataFrame(x), pd.DataFrame(x_val)
"""
TF_DATA = """\
import tensorflow as tf

train = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(426, seed=0).batch(32)
held = tf.data.Dataset.from_tensor_slices((x_val, y_val)).batch(32)
"""
LOADER = """\
import torch

rows = torch.utils.data.TensorDataset(torch.tensor(x), torch.tensor(y[:, None]))
held_rows = torch.utils.data.TensorDataset(torch.tensor(x_val), torch.tensor(y_val[:, None]))
train = torch.utils.data.DataLoader(rows, batch_size=32, shuffle=True)
held = torch.utils.data.DataLoader(held_rows, batch_size=32)
"""


def programs() -> Iterator[tuple[str, str, str]]:
    """Name, script, backend."""
    two, three, images = prelude("two-classes"), prelude("three-classes"), prelude("images")
    small = sequential([dense(16, "relu")], dense(1, "sigmoid"), optimizer="Adam(0.003)", epochs=20)
    streamed = small.replace("model.fit(x, y, validation_data=(x_val, y_val)", "model.fit(train, validation_data=held")
    yield "residual network", images + RESIDUAL, "jax"
    yield "transformer block", healthy.TOKENS + TRANSFORMER, "jax"
    yield "separable convolutions", images + sequential(
        ['SeparableConv2D(32, 3, activation="relu")', 'SeparableConv2D(64, 3, activation="relu")', "Flatten()"],
        dense(10, "softmax"), SPARSE, "Adam(0.003)", epochs=12,
    ), "jax"  # fmt: skip
    yield "loop over train_on_batch", two + small[: small.index("model.fit(")] + LOOP, "jax"
    yield "table of pandas", three + PANDAS + sequential(
        [dense(32, "relu")], dense(3, "softmax"), SPARSE, "Adam(0.01)", epochs=25
    ), "jax"  # fmt: skip
    yield "tf.data", two + TF_DATA + streamed, "tensorflow"
    yield "DataLoader", two + LOADER + streamed, "torch"
    for name, more, before, backend in (
        ("MobileNet", ", alpha=0.25", "", "tensorflow"),
        ("MobileNetV2", ", alpha=0.35", "", "torch"),
        ("MobileNetV3Small", ", alpha=0.75, minimalistic=True", BYTES, "jax"),
    ):
        yield name, WAVES + before + BACKBONE.format(name=name, more=more), backend
    again = healthy.programs()
    for backend, names in AGAIN.items():
        yield from ((name, again[name], backend) for name in names)
