"""Faults of ours planted into a program that works, each at a mild, a medium and a strong dose."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

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
BASES = {"two-classes": TWO, "three-classes": THREE, "regression": REGRESSION}


@dataclass(frozen=True)
class Fault:
    """A replacement in the text of a program.

    Attributes:
        old: what is replaced; "" puts `new` before the model. new: one text a strength; a single one is strong.
        rules: those that name the cause. bases: data sets of the programs it is planted into.
    """

    name: str
    old: str
    new: tuple[str, ...]
    rules: tuple[str, ...]
    bases: tuple[str, ...] = ("two-classes",)


def _rates(*rates: float) -> tuple[str, ...]:
    return tuple(f"learning_rate={float(rate)!r}" for rate in rates)


RATE, BOTH = "learning_rate=0.001", ("two-classes", "three-classes")
HIDDEN = 'Dense(32, activation="relu")'
FAULTS = (
    Fault("rate too low", RATE, _rates(2e-5, 2e-6, 1e-7), ("learning-rate-too-low", "too-few-updates")),
    Fault("rate too high", RATE, _rates(1, 10, 100), ("learning-rate-too-high", "dying-relu", "diverging-loss")),
    Fault("softmax on one unit", '1, activation="sigmoid"', ('1, activation="softmax"',), ("softmax-on-one-unit",)),
    Fault("relu output", '1, activation="sigmoid"', ('1, activation="relu"',),
          ("relu-on-class-output", "dead-relu-output")),
    Fault("linear output", '1, activation="sigmoid"', ("1",), ("missing-output-activation",)),
    Fault("zero kernels", HIDDEN, ('Dense(32, activation="relu", kernel_initializer="zeros")',),
          ("zero-initialised-kernel", "symmetric-initialisation"), BOTH),
    Fault("frozen", "model.compile(", ("model.trainable = False\nmodel.compile(",), ("everything-frozen",), BOTH),
    Fault("penalty", HIDDEN,
          tuple(f'Dense(32, "relu", kernel_regularizer=keras.regularizers.L2({v}))' for v in (0.3, 1.0, 10.0)),
          ("weight-penalty-too-strong",), BOTH),
    Fault("dropout", "keras.layers.Dense(1, ",
          tuple(f"keras.layers.Dropout({v}),\n    keras.layers.Dense(1, " for v in (0.9, 0.97, 0.99)),
          ("dropout-too-strong",)),
    Fault("clipped", RATE, tuple(f"learning_rate=0.001, clipvalue={v}" for v in (1e-8, 1e-10, 1e-12)),
          ("over-clipped-gradient",)),
    Fault("inputs unscaled", "", tuple(f"x, x_val = x * {v}, x_val * {v}\n" for v in (1e3, 1e4, 1e6)),
          ("unscaled-inputs", "learning-rate-too-high"), BOTH),
    Fault("targets unscaled", "",
          tuple(f"y, y_val = y * {v} + {5 * v}, y_val * {v} + {5 * v}\n" for v in (30, 300, 3e4)),
          ("unscaled-targets", "too-few-updates", "learning-rate-too-low"), ("regression",)),
    Fault("labels shuffled", "", ("y = np.random.default_rng(0).permutation(y)\n",),
          ("no-signal", "misaligned-labels"), BOTH),
    Fault("labels shifted", "", ("y = np.roll(y, 1)\n",), ("misaligned-labels", "no-signal"), BOTH),
    Fault("NaN in inputs", "", ("x[0, 0] = np.nan\n",), ("non-finite-inputs",), BOTH),
    Fault("one epoch of one batch", "epochs=25, batch_size=32", ("epochs=1, batch_size=400",), ("too-few-updates",)),
    Fault("sigmoid on a regression", "Dense(1),", ('Dense(1, activation="sigmoid"),',),
          ("bounded-output",), ("regression",)),
    Fault("relu on negative targets", "Dense(1),", ('Dense(1, activation="relu"),',),
          ("relu-output-negative-targets", "dead-relu-output"), ("regression",)),
    Fault("target among the features", "",
          ("x, x_val = np.c_[x, y].astype('float32'), np.c_[x_val, y_val].astype('float32')\n",),
          ("target-in-features", "proxy-feature"), ("two-classes", "regression")),
    Fault("validation rows in training", "", ("x, y = np.r_[x, x_val], np.r_[y, y_val]\n",),
          ("overlapping-rows", "validation-is-training")),
    Fault("validation is training", "validation_data=(x_val, y_val)", ("validation_data=(x, y)",),
          ("validation-is-training", "overlapping-rows"), BOTH),
)  # fmt: skip


def programs() -> Iterator[tuple[str, str, str, frozenset[str], list[int]]]:
    """Name, strength, script, the rules that name the cause, and the lines that differ from the program that works."""
    for fault in FAULTS:
        for base in fault.bases:
            text = BASES[base]
            old = fault.old.replace("0.001", "0.003") if base == "three-classes" else fault.old
            strengths = STRENGTHS[-len(fault.new) :]
            for strength, new in zip(strengths, fault.new, strict=True):
                script = text.replace(old, new, 1) if old else new + text
                whole, works = f"{prelude(base)}\n{script}", f"{prelude(base)}\n{text}"
                yield f"{fault.name}, {base}, {strength}", strength, whole, frozenset(fault.rules), _new(works, whole)


def _new(works: str, faulty: str) -> list[int]:
    """Numbers of the lines of `faulty`, from 1, that are not in `works`."""
    changes = SequenceMatcher(a=works.splitlines(), b=faulty.splitlines(), autojunk=False).get_opcodes()
    return [line + 1 for kind, _, _, low, high in changes if kind != "equal" for line in range(low, high)]
