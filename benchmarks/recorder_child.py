"""One backend of the recorder's figures: epochs with and without the recorder in turn, and a peer, in one process.

    KERAS_BACKEND=jax python -m benchmarks.recorder_child

prints a JSON line a model: wall and processor seconds of each epoch, and seconds that watching takes once in a fit.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers

from unstuck.record.recorder import Recorder
from unstuck.record.store import new_folder
from unstuck.record.watch import FitRecorder

SECONDS = 24.0
"""All epochs of a model take about so long, half of them watched."""
LEAST_PAIRS, MOST_PAIRS = 8, 20
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


class EverySecond(FitRecorder):
    """Watches every second epoch of one fit: neighbours share what else the machine does at that moment."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__(recorder)
        self.epochs: list[tuple[float, float]] = []
        self.around = 0.0

    def on_train_begin(self, logs: Any = None) -> None:
        began = time.perf_counter()
        super().on_train_begin(logs)
        self.around += time.perf_counter() - began
        self._watched: Any = self.model.train_function
        self._plain = self._watched.__unstuck_original__

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.model.train_function = self._plain if epoch % 2 else self._watched
        self._since = time.perf_counter(), time.process_time()
        if not epoch % 2:
            super().on_epoch_begin(epoch, logs)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if not epoch % 2:
            super().on_epoch_end(epoch, logs)
        self.epochs.append((time.perf_counter() - self._since[0], time.process_time() - self._since[1]))

    def on_train_end(self, logs: Any = None) -> None:
        self.model.train_function = self._watched
        began = time.perf_counter()
        super().on_train_end(logs)
        self.around += time.perf_counter() - began


def measured(make: Callable[[], tuple[list[Any], tuple[int, ...]]]) -> dict[str, Any]:
    body, shape = make()
    rng = np.random.default_rng(0)
    x, y = rng.random(shape, dtype=np.float32), rng.integers(0, 10, shape[0])
    model = keras.Sequential([keras.Input(shape[1:]), *body, layers.Dense(10, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")

    def fit(epochs: int, *callbacks: Any) -> float:
        began = time.perf_counter()
        model.fit(x, y, batch_size=BATCH, epochs=epochs, verbose=0, callbacks=list(callbacks))
        return time.perf_counter() - began

    fit(1)  # compiles
    plain = fit(1)
    pairs = min(MOST_PAIRS, max(LEAST_PAIRS, round(SECONDS / plain / 2)))
    with tempfile.TemporaryDirectory() as folder:
        watch = EverySecond(Recorder(new_folder(Path(folder))))
        fit(2 * pairs + 2, watch)
        peer = _peer(fit, Path(folder))
    return {
        "model": make.__name__,
        "steps": -(-shape[0] // BATCH),
        "megabytes": x.nbytes >> 20,
        "watched": watch.epochs[2::2],  # the first pair has the first snapshots, which a fit has once
        "plain": watch.epochs[3::2],
        "once": watch.around + max(0.0, watch.epochs[0][0] - watch.epochs[2][0]),
        "tensorboard": peer,
    }


def _peer(fit: Callable[..., float], folder: Path) -> list[float]:
    """Seconds of two epochs with Keras's TensorBoard callback and of two without; empty where it is not installed."""
    if find_spec("tensorboard") is None:
        return []
    return [fit(2, keras.callbacks.TensorBoard(log_dir=str(folder / "logs"), histogram_freq=1)), fit(2)]


if __name__ == "__main__":
    for make in MODELS:
        print(json.dumps(measured(make)), flush=True)
        sys.stdout.flush()
