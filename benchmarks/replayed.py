"""The fits whose losses JAX trials must replay: run as a script, under any backend, it makes them one after another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

ROWS, BATCH, EPOCHS = 200, 32, 8


def _table(features: int = 6) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(ROWS, features)).astype("float32")


def _sequence() -> np.ndarray:
    return np.random.default_rng(1).normal(size=(ROWS, 7, 4)).astype("float32")


def _images() -> np.ndarray:
    return np.random.default_rng(2).uniform(size=(ROWS, 8, 8, 2)).astype("float32")


def _binary() -> np.ndarray:
    return (np.random.default_rng(3).normal(size=ROWS) > 0).astype("float32")


def _classes() -> np.ndarray:
    return np.random.default_rng(4).integers(0, 3, ROWS)


def _one_hot() -> np.ndarray:
    return np.eye(3, dtype="float32")[_classes()]


def _fit(layers: list[Any], x: Any, y: Any, loss: str, optimizer: Any = "adam", **more: Any) -> None:
    import keras

    model = keras.Sequential([keras.Input(x.shape[1:], dtype=x.dtype), *layers])
    model.compile(optimizer, loss)
    _train(model, x, y, **more)


def _train(model: Any, x: Any, y: Any, **more: Any) -> None:
    """Validation rows are given, so that all training rows are trained on again."""
    model.fit(x, y, validation_data=(x, y), batch_size=BATCH, epochs=EPOCHS, shuffle=False, verbose=0, **more)


def fits() -> dict[str, Callable[[], None]]:
    import keras
    from keras import layers as L  # noqa: N812
    from keras import optimizers as O  # noqa: N812

    def dense(units: int = 1, activation: str = "sigmoid") -> list[Any]:
        return [L.Dense(16, "relu"), L.Dense(units, activation)]

    def attention() -> None:
        entry = keras.Input((7, 4))
        x = L.LayerNormalization()(entry + L.MultiHeadAttention(2, 4)(entry, entry))
        model = keras.Model(entry, L.Dense(1, "sigmoid")(L.GlobalAveragePooling1D()(x)))
        model.compile("adam", "binary_crossentropy")
        _train(model, _sequence(), _binary())

    def two_inputs() -> None:
        a, b = keras.Input((6,)), keras.Input((4,))
        x = L.Concatenate()([L.Dense(8, "tanh")(a), L.Dense(8, "relu")(b)])
        model = keras.Model([a, b], L.Dense(1)(x))
        model.compile("adam", "mse")
        y = _table()[:, :1]
        _train(model, [_table(), _table(4)], y)

    def two_outputs() -> None:
        entry = keras.Input((6,))
        x = L.Dense(8, "tanh")(entry)
        model = keras.Model(entry, [L.Dense(1, "sigmoid")(x), L.Dense(1)(x)])
        model.compile("adam", ["binary_crossentropy", "mse"], loss_weights=[1.0, 0.5])
        y = [_binary(), _table()[:, :1]]
        _train(model, _table(), y)

    tokens = np.random.default_rng(5).integers(0, 20, (ROWS, 7))
    schedule = O.schedules.CosineDecay(0.01, 50)
    return {
        "Dense, Adam, binary crossentropy": lambda: _fit(dense(), _table(), _binary(), "binary_crossentropy"),
        "Dense, SGD with momentum, MSE": lambda: _fit(
            dense(1, "linear"), _table(), _table()[:, :1], "mse", O.SGD(0.01, momentum=0.9)
        ),
        "Dense, RMSprop, categorical crossentropy": lambda: _fit(
            dense(3, "softmax"), _table(), _one_hot(), "categorical_crossentropy", "rmsprop"
        ),
        "Dense, AdamW, sparse categorical crossentropy": lambda: _fit(
            dense(3, "softmax"), _table(), _classes(), "sparse_categorical_crossentropy", O.AdamW(1e-3)
        ),
        "Dense, cosine decay, Huber": lambda: _fit(
            dense(1, "linear"), _table(), _table()[:, :1], "huber", O.Adam(schedule)
        ),
        "Dense, clipped gradients, L2 penalty": lambda: _fit(
            [L.Dense(16, "elu", kernel_regularizer="l2"), L.Dense(1, "sigmoid")],
            _table(), _binary(), "binary_crossentropy", O.Adam(0.01, clipnorm=0.5),
        ),
        "Dense, class weights": lambda: _fit(
            dense(), _table(), _binary(), "binary_crossentropy", class_weight={0: 1.0, 1: 3.0}
        ),
        "BatchNormalization": lambda: _fit(
            [L.Dense(16), L.BatchNormalization(), L.ReLU(), L.Dense(1, "sigmoid")],
            _table(), _binary(), "binary_crossentropy",
        ),
        "Conv2D, MaxPooling2D": lambda: _fit(
            [L.Conv2D(4, 3, activation="relu"), L.MaxPooling2D(), L.Flatten(), L.Dense(3, "softmax")],
            _images(), _classes(), "sparse_categorical_crossentropy",
        ),
        "SeparableConv2D, BatchNormalization": lambda: _fit(
            [L.SeparableConv2D(4, 3), L.BatchNormalization(), L.GlobalAveragePooling2D(), L.Dense(3, "softmax")],
            _images(), _classes(), "sparse_categorical_crossentropy",
        ),
        "Conv1D": lambda: _fit(
            [L.Conv1D(8, 3, activation="relu"), L.GlobalMaxPooling1D(), L.Dense(1, "sigmoid")],
            _sequence(), _binary(), "binary_crossentropy",
        ),
        "LSTM": lambda: _fit([L.LSTM(8), L.Dense(1, "sigmoid")], _sequence(), _binary(), "binary_crossentropy"),
        "GRU": lambda: _fit([L.GRU(8), L.Dense(1, "sigmoid")], _sequence(), _binary(), "binary_crossentropy"),
        "Bidirectional LSTM": lambda: _fit(
            [L.Bidirectional(L.LSTM(4)), L.Dense(1, "sigmoid")], _sequence(), _binary(), "binary_crossentropy"
        ),
        "Embedding with mask, LSTM": lambda: _fit(
            [L.Embedding(20, 4, mask_zero=True), L.LSTM(8), L.Dense(1, "sigmoid")],
            tokens, _binary(), "binary_crossentropy",
        ),
        "MultiHeadAttention, LayerNormalization": attention,
        "two inputs": two_inputs,
        "two outputs with loss weights": two_outputs,
    }  # fmt: skip


if __name__ == "__main__":
    import keras

    for make in fits().values():
        keras.utils.set_random_seed(0)
        make()
