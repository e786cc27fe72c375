"""Programs that a checklist would call wrong and that train as they should."""

from __future__ import annotations

from benchmarks.corpus.healthy import SPARSE, dense, fit_call, sequential
from unstuck.rules.examples import prelude

TWO, THREE, REGRESSION, IMAGES, RAW = map(prelude, ("two-classes", "three-classes", "regression", "images", "raw"))
ONE_HOT = "y, y_val = np.eye(3)[y], np.eye(3)[y_val]\n"
RAW_SPLIT = 'order = np.random.default_rng(0).permutation(len(x))\nx, y = x[order].astype("float32"), y[order]\n' + (
    "x, x_val, y, y_val = x[:426], x[426:], y[:426], y[426:]\n"
)
SOLVED = """\
import keras
import numpy as np

rng = np.random.default_rng(0)
y = rng.integers(0, 2, size=600)
x = (rng.normal(size=(600, 4)) + 8 * y[:, None]).astype("float32") - 4
x, x_val, y, y_val = x[:450], x[450:], y[:450], y[450:]
keras.utils.set_random_seed(0)
"""
RARE = """\
import keras
import numpy as np

rng = np.random.default_rng(0)
x = rng.normal(size=(3000, 5)).astype("float32")
y = (x[:, 0] + x[:, 1] > 2.5).astype("float32")
x, x_val, y, y_val = x[:2000], x[2000:], y[:2000], y[2000:]
keras.utils.set_random_seed(0)
"""
MANY_ROWS = """\
import keras
import numpy as np

rng = np.random.default_rng(0)
x = rng.normal(size=(15000, 6)).astype("float32")
y = (x[:, 0] * x[:, 1] + x[:, 2] > 0).astype("float32")
x, x_val, y, y_val = x[:12000], x[12000:], y[:12000], y[12000:]
keras.utils.set_random_seed(0)
"""
SIGMOID = dense(1, "sigmoid")


def programs() -> dict[str, str]:
    """Scripts by name."""
    small = [dense(16, "relu")]
    return {
        "loss near zero on a solved task": SOLVED + sequential(small, SIGMOID, optimizer="Adam(0.01)", epochs=60),
        "3 % positives that are told apart": RARE + sequential(small, SIGMOID, optimizer="Adam(0.01)", epochs=25),
        "one pass over many rows": MANY_ROWS
        + sequential([dense(32, "relu")] * 2, SIGMOID, optimizer="Adam(0.003)", epochs=1),
        "most units dropped": TWO + sequential([dense(256, "relu"), "Dropout(0.8)"], SIGMOID, epochs=25),
        "two hidden units": TWO + sequential([dense(2, "tanh")], SIGMOID, optimizer="Adam(0.02)", epochs=40),
        "rate of one on scaled data": TWO + sequential([], SIGMOID, optimizer="SGD(1.0)", epochs=25),
        "rate of 0.0001 for long": TWO + sequential([dense(64, "relu")], SIGMOID, optimizer="Adam(1e-4)", epochs=150),
        "clipped to a hundredth under Adam": TWO
        + sequential(small, SIGMOID, optimizer="Adam(clipnorm=0.01)", epochs=25),
        "layers without activation on a linear task": TWO + sequential([dense(16), dense(8)], SIGMOID, epochs=25),
        "output kernel of zeros": TWO + sequential(small, dense(1, "sigmoid", "zeros"), epochs=25),
        "columns that are constant": TWO
        + "x[:, 3] = x[:, 7] = x_val[:, 3] = x_val[:, 7] = 0\n"
        + sequential(small, SIGMOID, epochs=25),
        "rows that stand twice in training": TWO
        + "x, y = np.r_[x, x[:120]], np.r_[y, y[:120]]\n"
        + sequential(small, SIGMOID, epochs=25),
        "rows sorted by label, shuffled by fit": TWO
        + "x, y = x[np.argsort(y)], np.sort(y)\n"
        + sequential(small, SIGMOID, epochs=25),
        "one label in twelve is wrong": TWO
        + "wrong = np.random.default_rng(0).choice(len(y), len(y) // 12, replace=False)\ny[wrong] = 1 - y[wrong]\n"
        + sequential(small, SIGMOID, epochs=20),
        "a tenth of the rows weighs nothing": TWO
        + sequential(small, SIGMOID, epochs=25, more=', sample_weight=(np.arange(len(y)) % 10 > 0).astype("float32")'),
        "raw columns behind a BatchNormalization": RAW
        + RAW_SPLIT
        + sequential(["BatchNormalization()", *small], SIGMOID, optimizer="Adam(0.003)", epochs=40),
        "raw columns behind an adapted Normalization": RAW
        + RAW_SPLIT
        + "scaled = keras.layers.Normalization()\nscaled.adapt(x)\n"
        + sequential(small, SIGMOID, epochs=25).replace("Sequential([\n", "Sequential([\n    scaled,\n"),
        "sigmoids under categorical cross-entropy": THREE
        + ONE_HOT
        + sequential([dense(32, "relu")], dense(3, "sigmoid"), '"categorical_crossentropy"', "Adam(0.01)", epochs=25),
        "more classes than occur": THREE
        + sequential([dense(32, "relu")], dense(5, "softmax"), SPARSE, "Adam(0.01)", epochs=25),
        "sigmoid on targets between 0 and 1": REGRESSION
        + "low, span = y.min() - 0.5, np.ptp(y) + 1\ny, y_val = (y - low) / span, (y_val - low) / span\n"
        + sequential(small, SIGMOID, '"mse"', "Adam(0.01)", epochs=40),
        "softplus on targets above 0": REGRESSION
        + "low = y.min() - 0.5\ny, y_val = y - low, y_val - low\n"
        + sequential(small, dense(1, "softplus"), '"mse"', "Adam(0.01)", epochs=40),
        "frozen convolution of random filters": IMAGES
        + sequential(
            ['Conv2D(48, 3, activation="relu", trainable=False)', "MaxPooling2D()", "Flatten()"],
            dense(10, "softmax"), SPARSE, "Adam(0.003)", epochs=12,
        ),
        "trained, then set free and trained on": TWO
        + "hidden = keras.layers.Dense(32, \"relu\", trainable=False)\n"
        + "model = keras.Sequential([hidden, keras.layers.Dense(1, activation=\"sigmoid\")])\n"
        + "model.compile(keras.optimizers.Adam(0.01), loss=\"binary_crossentropy\")\n"
        + fit_call(10)
        + "hidden.trainable = True\nmodel.compile(keras.optimizers.Adam(1e-3), loss=\"binary_crossentropy\")\n"
        + fit_call(10),
    }  # fmt: skip
