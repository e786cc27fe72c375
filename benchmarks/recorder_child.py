"""One backend of the recorder's figures: steps with and without the recorder in turn, and a peer, in one process.

    KERAS_BACKEND=jax python -m benchmarks.recorder_child

prints a JSON line a model: wall and processor seconds of epochs, and seconds that watching takes once in a fit.
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

SECONDS = 40.0
"""All epochs of a model take about so long, half of their steps watched."""
LEAST_PAIRS, MOST_PAIRS = 8, 60
BLOCK_SECONDS = 0.1
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


class EverySecondBlock(FitRecorder):
    """Watches every second block of steps of one fit: neighbours share what else the machine does at that moment.

    Of two epochs, the second one begins with the other kind, so that each step is made once watched and once not.
    """

    def __init__(self, recorder: Recorder, steps: int, blocks: int) -> None:
        super().__init__(recorder)
        edges = np.linspace(0, steps, blocks + 1).astype(int)
        self._sizes = np.diff(edges).tolist()
        self.pairs: list[dict[bool, np.ndarray]] = []
        """Of two epochs: wall and processor seconds of the steps that were watched (True) and of the others."""
        self.around = 0.0

    def on_train_begin(self, logs: Any = None) -> None:
        began = time.perf_counter()
        super().on_train_begin(logs)
        self.around += time.perf_counter() - began
        self._tapped: Any = self.model.train_function
        self._functions = {True: self._tapped, False: self._tapped.__unstuck_original__}
        self.model.train_function = self._step

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if epoch % 2 == 0:
            self.pairs.append({True: np.zeros(2), False: np.zeros(2)})
        self._besides(super().on_epoch_begin, epoch, logs)
        self._watched, self._block, self._made, self._since = epoch % 2 == 0, 0, 0, _clocks()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._turn()
        self._besides(super().on_epoch_end, epoch, logs)

    def on_train_end(self, logs: Any = None) -> None:
        self.model.train_function = self._tapped
        began = time.perf_counter()
        super().on_train_end(logs)
        self.around += time.perf_counter() - began

    def _besides(self, hook: Callable[..., None], epoch: int, logs: Any) -> None:
        began = _clocks()
        hook(epoch, logs)
        if epoch % 2 == 0:  # one epoch of the two is watched, so the ends of one count
            self.pairs[-1][True] += _clocks() - began

    def _step(self, *given: Any) -> Any:
        if self._made == self._sizes[self._block]:
            self._turn()
        self._made += 1
        found = self._functions[self._watched](*given)
        self._logs = found[0] if isinstance(found, tuple) else found  # on JAX with the state
        return found

    def _turn(self) -> None:
        """End a block, when its last step is done; tell the recorder of the steps that it was not shown."""
        mean = float(self._logs["loss"])
        now = _clocks()
        self.pairs[-1][self._watched] += now - self._since
        training = self._training
        assert training is not None
        if not self._watched:
            training._mean.added(mean, self._made * BATCH)
            training.steps += self._made
            training._steps_in_epoch += self._made
        self._watched, self._block, self._made, self._since = not self._watched, self._block + 1, 0, _clocks()


def _clocks() -> np.ndarray:
    return np.array([time.perf_counter(), time.process_time()])


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
        steps, blocks = -(-shape[0] // BATCH), 2 * max(1, round(plain / BLOCK_SECONDS / 2))
        watch = EverySecondBlock(Recorder(new_folder(Path(folder))), steps, blocks)
        fit(2 * pairs + 2, watch)
        peer = _peer(fit, Path(folder))
    first, *later = watch.pairs  # the first pair has the first snapshots, which a fit has once
    return {
        "model": make.__name__,
        "steps": steps,
        "megabytes": x.nbytes >> 20,
        "watched": [pair[True].tolist() for pair in later],
        "plain": [pair[False].tolist() for pair in later],
        "once": watch.around + max(0.0, first[True][0] - later[0][True][0]),
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
