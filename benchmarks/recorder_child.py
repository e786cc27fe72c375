"""One backend of the recorder's figures: fits with and without the recorder and beside a peer, in turn, in one process.

    KERAS_BACKEND=jax python -m benchmarks.recorder_child

prints a JSON line a model: seconds of each fit, wall and processor, by way of watching.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers

from unstuck.record.recorder import Recorder
from unstuck.record.store import new_folder
from unstuck.record.watch import FitRecorder

REPEATS = 4
SECONDS = 8.0
"""A plain fit takes about so long: one that is over sooner is mostly the fixed cost of reading its data."""
PEER_REPEATS = 1
"""A peer that takes many times as long needs no more."""
BATCH = 32


def mlp() -> tuple[list[Any], tuple[int, ...]]:
    return [layers.Dense(128, activation="relu"), layers.Dense(64, activation="relu")], (60_000, 784)


def cnn() -> tuple[list[Any], tuple[int, ...]]:
    body = [layers.Conv2D(16, 3, activation="relu"), layers.MaxPooling2D(), layers.Conv2D(32, 3, activation="relu")]
    return [*body, layers.BatchNormalization(), layers.Flatten()], (10_000, 32, 32, 3)


def lstm() -> tuple[list[Any], tuple[int, ...]]:
    return [layers.LSTM(32)], (10_000, 20, 16)


class Attention(layers.Layer):
    def __init__(self) -> None:
        super().__init__()
        self.attention, self.norm = layers.MultiHeadAttention(4, 8), layers.LayerNormalization()

    def call(self, x: Any) -> Any:
        return self.norm(x + self.attention(x, x))


def transformer() -> tuple[list[Any], tuple[int, ...]]:
    return [layers.Dense(32), Attention(), Attention(), layers.GlobalAveragePooling1D()], (10_000, 16, 16)


MODELS: tuple[Callable[[], tuple[list[Any], tuple[int, ...]]], ...] = (mlp, cnn, lstm, transformer)


def callbacks(way: str, folder: Path) -> list[Any]:
    if way == "watched":
        return [FitRecorder(Recorder(new_folder(folder)))]
    if way == "tensorboard":
        return [keras.callbacks.TensorBoard(log_dir=str(folder / "logs"), histogram_freq=1)]
    return []


def ways() -> list[str]:
    """What is compared; the peer only where its package is."""
    try:
        import tensorboard  # noqa: F401
    except ImportError:
        return ["plain", "watched"]
    return ["plain", "watched", "tensorboard"]


def measured(make: Callable[[], tuple[list[Any], tuple[int, ...]]]) -> dict[str, Any]:
    body, shape = make()
    rng = np.random.default_rng(0)
    x, y = rng.random(shape, dtype=np.float32), rng.integers(0, 10, shape[0])
    model = keras.Sequential([keras.Input(shape[1:]), *body, layers.Dense(10, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    start = model.get_weights()

    def fit(way: str, epochs: int) -> tuple[float, float]:
        model.set_weights(start)
        with tempfile.TemporaryDirectory() as folder:
            wall, processor = time.perf_counter(), time.process_time()
            model.fit(x, y, batch_size=BATCH, epochs=epochs, verbose=0, callbacks=callbacks(way, Path(folder)))
            return time.perf_counter() - wall, time.process_time() - processor

    fit("plain", 1)  # compiles
    epochs = max(1, round(SECONDS / fit("plain", 1)[0]))
    seconds: dict[str, list[tuple[float, float]]] = {way: [] for way in ways()}
    for turn in range(REPEATS):
        order = list(seconds) if turn % 2 else list(seconds)[::-1]
        for way in order:
            if way != "tensorboard" or turn < PEER_REPEATS:
                seconds[way].append(fit(way, epochs))
    steps = epochs * -(-shape[0] // BATCH)
    return {"model": make.__name__, "steps": steps, "megabytes": x.nbytes >> 20, "seconds": seconds}


if __name__ == "__main__":
    for make in MODELS:
        print(json.dumps(measured(make)), flush=True)
        sys.stdout.flush()
