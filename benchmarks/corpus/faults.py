"""Faults of ours planted into a program that works, each at a mild, a medium and a strong dose."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

from benchmarks.corpus.healthy import SEQUENCES
from unstuck.rules.examples import prelude

STRENGTHS = ("mild", "medium", "strong")
TWO = """\
model = keras.Sequential([
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.Adam(learning_rate=0.001), loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, validation_data=(x_val, y_val), epochs=25, batch_size=32, verbose=0)
"""
THREE = """\
model = keras.Sequential([
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(3, activation="softmax"),
])
model.compile(keras.optimizers.Adam(learning_rate=0.003), loss="sparse_categorical_crossentropy")
model.fit(x, y, validation_data=(x_val, y_val), epochs=25, batch_size=32, verbose=0)
"""
REGRESSION = """\
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1),
])
model.compile(keras.optimizers.Adam(learning_rate=0.005), loss="mse")
model.fit(x, y, validation_data=(x_val, y_val), epochs=30, batch_size=32, verbose=0)
"""
IMAGES = """\
model = keras.Sequential([
    keras.layers.Conv2D(16, 3, activation="relu"),
    keras.layers.MaxPooling2D(),
    keras.layers.Flatten(),
    keras.layers.Dense(10, activation="softmax"),
])
model.compile(keras.optimizers.Adam(learning_rate=0.003), loss="sparse_categorical_crossentropy")
model.fit(x, y, validation_data=(x_val, y_val), epochs=8, batch_size=32, verbose=0)
"""
RECURRENT = """\
model = keras.Sequential([
    keras.layers.LSTM(16),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.Adam(learning_rate=0.01), loss="binary_crossentropy")
model.fit(x, y, validation_data=(x_val, y_val), epochs=15, batch_size=32, verbose=0)
"""
BASES = {
    "two-classes": (prelude("two-classes"), TWO),
    "three-classes": (prelude("three-classes"), THREE),
    "regression": (prelude("regression"), REGRESSION),
    "images": (prelude("images"), IMAGES),
    "sequences": (SEQUENCES, RECURRENT),
}
"""Data and model of the programs that work, by name."""


@dataclass(frozen=True)
class Fault:
    """A replacement in the text of a program.

    Attributes:
        operator: the kind of change. old: what is replaced; "" puts `new` before the model. new: one text a strength; a
            single one is strong. rules: those that name the cause. bases: names in `BASES` of the programs it is
            planted into. before: text before the model that belongs to the fault. strengths: of `new`, where one is
            not strong.
    """

    name: str
    operator: str
    old: str
    new: tuple[str, ...]
    rules: tuple[str, ...]
    bases: tuple[str, ...] = ("two-classes",)
    before: str = ""
    strengths: tuple[str, ...] = ()


def _rates(*rates: float) -> tuple[str, ...]:
    return tuple(f"learning_rate={float(rate)!r}" for rate in rates)


RATE, BOTH = "learning_rate=0.001", ("two-classes", "three-classes")
ANY = (*BOTH, "images", "sequences")
HIDDEN = 'Dense(32, activation="relu")'
SIGMOIDS = (10, 12, 16)
"""Layers of sigmoids on top of each other; 8 still learn all there is."""
FAULTS = (
    Fault("rate too low", "rate", RATE, _rates(2e-5, 2e-6, 1e-7), ("learning-rate-too-low", "too-few-updates"),
          ("two-classes", "images", "sequences")),
    Fault("rate too high", "rate", RATE, _rates(1, 10, 100),
          ("learning-rate-too-high", "dying-relu", "diverging-loss"),
          ("two-classes", "images", "sequences")),
    Fault("softmax on one unit", "activation", '1, activation="sigmoid"', ('1, activation="softmax"',),
          ("softmax-on-one-unit",)),
    Fault("relu output", "activation", '1, activation="sigmoid"', ('1, activation="relu"',),
          ("relu-on-class-output", "dead-relu-output")),
    Fault("linear output", "activation", '1, activation="sigmoid"', ("1",), ("missing-output-activation",)),
    Fault("zero kernels", "initialisation", HIDDEN, ('Dense(32, activation="relu", kernel_initializer="zeros")',),
          ("zero-initialised-kernel", "symmetric-initialisation"), BOTH),
    Fault("frozen", "weights", "model.compile(", ("model.trainable = False\nmodel.compile(",),
          ("everything-frozen",), ANY),
    Fault("penalty", "regularisation", HIDDEN,
          tuple(f'Dense(32, "relu", kernel_regularizer=keras.regularizers.L2({v}))' for v in (0.3, 1.0, 10.0)),
          ("weight-penalty-too-strong",), BOTH),
    Fault("dropout", "regularisation", "keras.layers.Dense(1, ",
          tuple(f"keras.layers.Dropout({v}),\n    keras.layers.Dense(1, " for v in (0.9, 0.97, 0.99)),
          ("dropout-too-strong",)),
    Fault("clipped", "rate", RATE, tuple(f"learning_rate=0.001, clipvalue={v}" for v in (1e-8, 1e-10, 1e-12)),
          ("over-clipped-gradient",)),
    Fault("inputs unscaled", "scale", "", tuple(f"x, x_val = x * {v}, x_val * {v}\n" for v in (1e3, 1e4, 1e6)),
          ("unscaled-inputs", "learning-rate-too-high"), BOTH),
    Fault("targets unscaled", "scale", "",
          tuple(f"y, y_val = y * {v} + {5 * v}, y_val * {v} + {5 * v}\n" for v in (30, 300, 3e4)),
          ("unscaled-targets", "too-few-updates", "learning-rate-too-low"), ("regression",)),
    Fault("labels shuffled", "labels", "", ("y = np.random.default_rng(0).permutation(y)\n",),
          ("no-signal", "misaligned-labels", "unpaired-shuffles"), ANY),
    Fault("labels shifted", "labels", "", ("y = np.roll(y, 1)\n",), ("misaligned-labels", "no-signal"), BOTH),
    Fault("NaN in inputs", "data", "", ("x[0, 0] = np.nan\n",), ("non-finite-inputs",), BOTH),
    Fault("one epoch of one batch", "length", "epochs=25, batch_size=32", ("epochs=1, batch_size=400",),
          ("too-few-updates",)),
    Fault("sigmoid on a regression", "activation", "Dense(1),", ('Dense(1, activation="sigmoid"),',),
          ("bounded-output",), ("regression",)),
    Fault("relu on negative targets", "activation", "Dense(1),", ('Dense(1, activation="relu"),',),
          ("relu-output-negative-targets", "dead-relu-output"), ("regression",)),
    Fault("target among the features", "split", "",
          ("x, x_val = np.c_[x, y].astype('float32'), np.c_[x_val, y_val].astype('float32')\n",),
          ("target-in-features", "proxy-feature"), ("two-classes", "regression")),
    Fault("validation rows in training", "split", "", ("x, y = np.r_[x, x_val], np.r_[y, y_val]\n",),
          ("overlapping-rows", "validation-is-training")),
    Fault("validation is training", "split", "validation_data=(x_val, y_val)", ("validation_data=(x, y)",),
          ("validation-is-training", "overlapping-rows"), BOTH),
    Fault("ordered by label before the split", "split", "validation_data=(x_val, y_val)", ("validation_split=0.25",),
          ("ordered-validation-split",), BOTH, before="x, y = x[np.argsort(y)], np.sort(y)\n"),
    Fault("deep and saturating", "activation", f"    keras.layers.{HIDDEN},\n",
          tuple('    keras.layers.Dense(32, activation="sigmoid"),\n' * depth for depth in SIGMOIDS),
          ("vanishing-gradient", "squashed-hidden-layer", "saturated-activation", "too-few-updates")),
    Fault("sigmoid taken for logits", "loss", 'loss="binary_crossentropy"',
          ("loss=keras.losses.BinaryCrossentropy(from_logits=True)",), ("double-sigmoid",), strengths=("mild",)),
    Fault("softmax taken for logits", "loss", 'loss="sparse_categorical_crossentropy"',
          ("loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True)",), ("double-softmax",),
          ("three-classes",), strengths=("mild",)),
    Fault("categorical loss on one unit", "loss", 'loss="binary_crossentropy"', ('loss="categorical_crossentropy"',),
          ("categorical-loss-on-one-unit",)),
    Fault("absolute error on class numbers", "loss", 'loss="sparse_categorical_crossentropy"', ('loss="mae"',),
          ("squared-error-on-classes", "broadcast-target", "label-format-mismatch", "broadcast-loss"),
          ("three-classes",)),
    Fault("loss for classes on a regression", "loss", 'loss="mse"', ('loss="binary_crossentropy"',),
          ("class-loss-on-regression",), ("regression",)),
    Fault("relative loss on targets around 0", "loss", 'loss="mse"', ('loss="mape"',),
          ("relative-loss-on-zero-targets", "unsuitable-loss"), ("regression",)),
    Fault("large kernels", "initialisation", HIDDEN,
          tuple(f'Dense(32, "relu", kernel_initializer=keras.initializers.RandomNormal(stddev={v}))'
                for v in (10, 100, 1000)),
          ("oversized-initialisation", "saturated-activation", "learning-rate-too-low")),
    Fault("labels from 1", "labels", "", ("y, y_val = y + 1, y_val + 1\n",),
          ("labels-out-of-range", "labels-wrongly-encoded"), BOTH),
    Fault("one label for all", "labels", "", ("y = np.ones_like(y)\n",), ("constant-target",), BOTH),
    Fault("weights of 0", "weights", "verbose=0", ("sample_weight=np.zeros(len(y)), verbose=0",),
          ("zero-sample-weights",), BOTH),
)  # fmt: skip


def programs() -> Iterator[tuple[str, Fault, str, str, list[int]]]:
    """Name, fault, strength, script, and the lines that differ from the program that works."""
    for fault in FAULTS:
        for base in fault.bases:
            data, text = BASES[base]
            rate = re.search(r"learning_rate=[\d.]+", text)
            old = fault.old.replace(RATE, rate[0] if rate else RATE)
            strengths = fault.strengths or STRENGTHS[-len(fault.new) :]
            for strength, new in zip(strengths, fault.new, strict=True):
                script = fault.before + (text.replace(old, new, 1) if old else new + text)
                whole, works = f"{data}\n{script}", f"{data}\n{text}"
                yield f"{fault.name}, {base}, {strength}", fault, strength, whole, _new(works, whole)


def _new(works: str, faulty: str) -> list[int]:
    """Numbers of the lines of `faulty`, from 1, that are not in `works`."""
    changes = SequenceMatcher(a=works.splitlines(), b=faulty.splitlines(), autojunk=False).get_opcodes()
    return [line + 1 for kind, _, _, low, high in changes if kind != "equal" for line in range(low, high)]
