"""Small models that the engine is measured on, as experiments, and as fresh fits for the peers.

Run as a script it answers each line on standard input, the name of a model, with the seconds of one fresh fit.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np

ROWS = 1000
NAMES = ("mlp", "cnn", "lstm", "transformer")
EPOCHS = {"mlp": 20, "cnn": 5, "lstm": 5, "transformer": 5}
BATCH = 32


def data(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Inputs (1000, ...) and labels (1000,) that the model can learn."""
    rng = np.random.default_rng(0)
    if name == "cnn":
        from sklearn.datasets import load_digits

        x, y = load_digits(return_X_y=True)
        return (x[:ROWS].reshape(-1, 8, 8, 1) / 16).astype("float32"), y[:ROWS].astype("int32")
    if name in ("lstm", "transformer"):
        x = rng.normal(size=(ROWS, 20, 4)).astype("float32")
        return x, (x[:, -1, 0] + x[:, 5, 1] > 0).astype("float32")
    x = rng.normal(size=(ROWS, 10)).astype("float32")
    return x, (x[:, 0] + x[:, 1] > 0).astype("float32")


def model(name: str) -> Any:
    """A fresh model, compiled with Adam at 1e-3."""
    import keras
    from keras import layers

    if name == "cnn":
        built: Any = keras.Sequential(
            [
                keras.Input((8, 8, 1)),
                layers.Conv2D(16, 3, activation="relu"),
                layers.MaxPooling2D(),
                layers.Conv2D(32, 3, activation="relu"),
                layers.Flatten(),
                layers.Dense(10, activation="softmax"),
            ]
        )
    elif name == "lstm":
        built = keras.Sequential([keras.Input((20, 4)), layers.LSTM(32), layers.Dense(1, activation="sigmoid")])
    elif name == "transformer":
        entry = keras.Input((20, 4))
        x = layers.Dense(32)(entry)
        for _ in range(2):
            x = layers.LayerNormalization()(x + layers.MultiHeadAttention(4, 8)(x, x))
            x = layers.LayerNormalization()(x + layers.Dense(32)(layers.Dense(64, activation="relu")(x)))
        answer = layers.Dense(1, activation="sigmoid")(layers.GlobalAveragePooling1D()(x))
        built = keras.Model(entry, answer)
    else:
        built = keras.Sequential(
            [keras.Input((10,)), layers.Dense(64, activation="relu"), layers.Dense(1, activation="sigmoid")]
        )
    loss = "sparse_categorical_crossentropy" if name == "cnn" else "binary_crossentropy"
    built.compile(keras.optimizers.Adam(1e-3), loss)
    return built


def main() -> None:
    sets = {name: data(name) for name in NAMES}
    for line in sys.stdin:
        name = line.strip()
        x, y = sets[name]
        began = time.perf_counter()
        model(name).fit(x, y, batch_size=BATCH, epochs=EPOCHS[name], verbose=0)
        print(time.perf_counter() - began, flush=True)


if __name__ == "__main__":
    main()
