"""Published faulty programs, rebuilt from facts: a script each, on data of the recorded shape that carry a signal.

`programs.jsonl` holds facts only (layers, loss, optimiser, shapes, labels of the fault, the question they come from);
the scripts are ours. What cannot be rebuilt honestly is dropped with the reason.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FACTS = Path(__file__).parent / "programs.jsonl"
MAX_ROWS = 1500
MAX_VALUES = 3_000_000
"""Input values of a rebuilt program at most; more rows are left out."""
MAX_ROW = 60_000
"""Values of one row at most: beyond it one trial takes minutes on two cores."""
MAX_ROW_EPOCHS = 60_000
FACTORS, PATCH, WIDE = 8, 4, 64
"""Of made data: hidden factors, size of a patch of an image, values of a row from which each shows the factors."""
READ = [
    "flat = x.reshape(n, -1)[:, :20]",
    "flat = (flat - flat.mean(axis=0)) / (flat.std(axis=0) + 1e-9)",
    f"hidden = np.tanh(flat @ rng.normal(size=(flat.shape[1], {FACTORS})) / np.sqrt(flat.shape[1]) * 2)",
]
"""Factors that are a smooth function of the values of a narrow row."""
NAMED_SHAPES = {
    "(img_rows, img_cols, 1)": [28, 28, 1],
    "(img_width, img_height, img_num_channels)": [32, 32, 3],
    "(max_words,)": [1000],
}
"""Shapes that the facts give by the name of a variable, as the well-known example programs set them."""
RENAMED = {"Convolution2D": "Conv2D", "MaxPool2D": "MaxPooling2D"}
KEPT = ("units", "activation", "filters", "kernel_size", "padding", "rate", "pool_size", "strides", "return_sequences",
        "negative_slope", "kernel_initializer", "bias_initializer", "kernel_regularizer", "bias_regularizer",
        "input_dim", "output_dim")  # fmt: skip
BUILT = frozenset({
    "Dense", "Activation", "Dropout", "MaxPooling1D", "MaxPooling2D", "MaxPooling3D", "Conv1D", "Conv2D", "Conv3D",
    "Flatten", "BatchNormalization", "LSTM", "LeakyReLU", "ReLU", "Embedding", "GlobalMaxPooling1D",
    "GlobalAveragePooling3D", "Masking", "Reshape",
})  # fmt: skip

RULES_OF = {
    "activation": (
        "softmax-on-one-unit", "sigmoid-with-categorical-loss", "softmax-for-multilabel", "relu-on-class-output",
        "relu-output-negative-targets", "bounded-output", "missing-output-activation", "double-sigmoid",
        "double-softmax", "layer-after-output-activation", "dead-relu-output", "dying-relu", "saturated-activation",
        "vanishing-gradient", "no-nonlinearity", "squashed-hidden-layer", "binary-loss-on-one-hot",
        "class-loss-on-regression", "unbounded-recurrent-activation", "softmax-over-wrong-axis",
    ),
    "loss": (
        "squared-error-on-classes", "binary-loss-on-one-hot", "categorical-loss-on-one-unit",
        "class-loss-on-regression", "unsuitable-loss", "loss-ignores-predictions", "softmax-for-multilabel",
        "sigmoid-with-categorical-loss", "relative-loss-on-zero-targets", "double-softmax", "double-sigmoid",
        "swapped-loss-arguments", "missing-loss",
    ),
    "rate": (
        "learning-rate-too-high", "learning-rate-too-low", "diverging-loss", "momentum-oscillation",
        "over-clipped-gradient", "schedule-kills-learning", "too-few-updates",
    ),
    "epochs": ("too-few-updates", "learning-rate-too-low", "stopped-in-warm-up", "batchnorm-statistics-cold"),
    "batch": ("too-few-updates", "batchnorm-tiny-batch", "learning-rate-too-low"),
    "initialisation": (
        "zero-initialised-kernel", "symmetric-initialisation", "oversized-initialisation", "saturated-activation",
        "vanishing-gradient",
    ),
    "optimiser": (
        "learning-rate-too-high", "learning-rate-too-low", "momentum-oscillation", "too-few-updates",
        "over-clipped-gradient", "vanishing-gradient",
    ),
    "preparation": (
        "unscaled-inputs", "unscaled-targets", "tiny-targets", "rescaled-twice", "integer-dtype-accident",
        "non-finite-inputs", "bounded-output", "relu-output-negative-targets",
    ),
    "labels": (
        "labels-wrongly-encoded", "label-format-mismatch", "labels-out-of-range", "bounded-output",
        "categorical-loss-on-one-unit", "binary-loss-on-one-hot",
    ),
    "layers": (
        "model-too-small", "label-format-mismatch", "labels-out-of-range", "sequence-output-for-single-target",
        "no-nonlinearity", "categorical-loss-on-one-unit", "softmax-on-one-unit", "vanishing-gradient",
        "squashed-hidden-layer", "memorising", "binary-loss-on-one-hot", "class-loss-on-regression",
    ),
    "normalisation": ("batchnorm-statistics-cold", "batchnorm-tiny-batch"),
    "data": ("memorising", "too-few-updates", "tiny-validation-set"),
}  # fmt: skip
"""Which of our rules name the cause that a label of a published set means."""
MEANING = {
    "ACH": "activation", "act": "activation", "activation": "activation",
    "LCH": "loss", "loss": "loss",
    "HLR": "rate", "LHR": "rate", "lr": "rate",
    "HNE": "epochs", "epoch": "epochs", "epochs": "epochs",
    "HBS": "batch", "batch_size": "batch",
    "WCI": "initialisation", "init": "initialisation",
    "OCH": "optimiser", "opt": "optimiser", "optimizer": "optimiser",
    "CPP": "preparation", "missing_prep": "preparation", "wrong_prep": "preparation",
    "TCL": "labels",
    "LCN": "layers", "LRM": "layers", "LAD": "layers", "units": "layers", "layer_properties": "layers",
    "layer_roperties": "layers", "missing/redundant/wrong_layers": "layers", "layer_added": "layers",
    "BNE": "normalisation",
    "TRD": "data", "training_data_quality": "data",
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A rebuilt program.

    Attributes:
        script: its text. strict, any_source: our rules that name a labelled cause, by the set's own labels and by any
            source's. changed: what differs from the facts (rows, epochs).
    """

    id: str
    source: str
    script: str
    strict: frozenset[str]
    any_source: frozenset[str]
    changed: str


class Dropped(Exception):
    """The program cannot be rebuilt honestly; the message says why."""


def programs() -> list[dict[str, Any]]:
    return [json.loads(line) for line in FACTS.read_text().splitlines()]


def rebuilt() -> Iterator[tuple[str, Case | str]]:
    """Each program by its id, or why it is left out."""
    for facts in programs():
        try:
            yield facts["id"], rebuild(facts)
        except Dropped as reason:
            yield facts["id"], str(reason)


def rebuild(facts: dict[str, Any]) -> Case:
    """The script of one program.

    Raises:
        Dropped: with the reason.
    """
    layers = [_numbered(layer, facts) for layer in facts.get("layers") or [] if layer["type"] != "InputLayer"]
    if not layers:
        raise Dropped("only its label is known")
    unbuilt = sorted({layer["type"] for layer in layers} - BUILT - set(RENAMED))
    if unbuilt:
        raise Dropped(f"layers whose wiring or function is not in the facts: {', '.join(unbuilt)}")
    loss = _loss(facts.get("loss"))
    shape = _input_shape(facts, layers)
    rows, epochs, changed = _size(facts, shape)
    body = "\n".join(f"    {_layer(layer)}," for layer in layers)
    validation = ", validation_split=0.2" if facts.get("has_validation") and rows >= 20 else ""
    batch = facts.get("batch_size") or 32
    script = f"""{_data(facts, shape, rows, layers, loss)}
model = keras.Sequential([
    keras.Input({tuple(shape)}),
{body}
])
model.compile({_optimizer(facts.get("optimizer"))}, loss={loss!r}, metrics=["accuracy"])
model.fit(x, y, epochs={epochs}, batch_size={batch}{validation}, verbose=0)
"""
    own = frozenset(_named(facts["labels"]))
    any_source = own | frozenset(_named(facts["other_labels"]))
    if not any_source:
        raise Dropped("its label names no cause that a rule is about")
    return Case(facts["id"], facts["source"], script, own, any_source, changed)


def _numbered(layer: dict[str, Any], facts: dict[str, Any]) -> dict[str, Any]:
    """The layer with its units as a number; the facts of some give them by the name of a variable."""
    if not isinstance(layer.get("units"), str):
        return layer
    classes = _classes(facts)
    if classes is None:
        raise Dropped(f"the units {layer['units']} of a layer are not a number")
    return {**layer, "units": classes}


def _classes(facts: dict[str, Any]) -> int | None:
    """How many classes the facts say that there are, where they say so."""
    said = re.search(r"multiclass\((\d+)\)", facts.get("task") or "")
    return int(said[1]) if said else None


def _named(labels: list[str]) -> list[str]:
    kinds = [MEANING.get(part) for label in labels for part in label.split(":")[0].split("(")[0].split("/")]
    kinds += [MEANING.get(label) for label in labels]
    return [rule for kind in kinds if kind for rule in RULES_OF[kind]]


def _input_shape(facts: dict[str, Any], layers: list[dict[str, Any]]) -> list[int]:
    given = layers[0].get("input_shape")
    recorded = (facts.get("x") or {}).get("shape") or []
    shape = facts.get("input_shape") or (NAMED_SHAPES.get(given) if isinstance(given, str) else given) or recorded[1:]
    if not isinstance(shape, list) or not shape or any(not isinstance(n, int) for n in shape):
        raise Dropped("the shape of its inputs is not known")
    if math.prod(shape) > MAX_ROW:
        raise Dropped(f"one row has {math.prod(shape)} values: trials of it do not fit two cores")
    return shape


def _size(facts: dict[str, Any], shape: list[int]) -> tuple[int, int, str]:
    recorded = (facts.get("x") or {}).get("shape") or [1000]
    rows = max(2, min(recorded[0] or 1000, MAX_ROWS, MAX_VALUES // math.prod(shape)))
    wanted = facts.get("epochs") or 1
    epochs = max(1, min(wanted, max(3, MAX_ROW_EPOCHS // rows)))
    words = [f"{rows} of {recorded[0]} rows"] if rows < recorded[0] else []
    words += [f"{epochs} of {wanted} epochs"] if epochs < wanted else []
    return rows, epochs, ", ".join(words)


def _layer(facts: dict[str, Any]) -> str:
    name = RENAMED.get(facts["type"], facts["type"])
    settings = {key: facts[key] for key in KEPT if facts.get(key) is not None}
    if name == "LeakyReLU" and "negative_slope" not in settings:
        settings["negative_slope"] = 0.3
    if name == "Reshape":
        raise Dropped("the target shape of a Reshape is not in the facts")
    return f"keras.layers.{name}({', '.join(f'{key}={_value(value)}' for key, value in settings.items())})"


def _value(value: Any) -> str:
    if isinstance(value, dict):
        settings = ", ".join(f"{k}={v!r}" for k, v in value.items() if k != "class")
        return f"keras.initializers.{value['class']}({settings})"
    if isinstance(value, list):
        return repr(tuple(value))
    if isinstance(value, str) and "(" in value:
        kind = "regularizers" if value.startswith(("l1", "l2")) else "initializers"
        return f"keras.{kind}.{value[:1].upper() + value[1:]}"
    return repr(value)


def _loss(name: Any) -> str:
    snake = {"BinaryCrossentropy": "binary_crossentropy", "CategoricalCrossentropy": "categorical_crossentropy"}
    if not isinstance(name, str) or name == "None" or name.endswith("_fn"):
        raise Dropped("its loss is its own function or not known")
    return {**snake, "logcosh": "log_cosh"}.get(name, name)


def _optimizer(facts: Any) -> str:
    if isinstance(facts, dict):
        settings = {k: v for k, v in facts.items() if k != "class" and not (k == "clipnorm" and not v)}
        inside = ", ".join(f"{key}={value!r}" for key, value in settings.items())
        return f"keras.optimizers.{facts['class']}({inside})"
    if not facts:
        raise Dropped("its optimiser is not known")
    text = str(facts)
    return f"keras.optimizers.{text}" if "(" in text else repr(text)


def _data(facts: dict[str, Any], shape: list[int], rows: int, layers: list[dict[str, Any]], loss: str) -> str:
    """Inputs in the recorded range, and targets of eight hidden factors that can be read from them.

    Wide rows (images, long vectors) show the factors in every value, sentences in which words are frequent, as real
    ones do; a signal in 20 of 3,072 values is nothing that a network of that kind is made to find.
    """
    x = facts.get("x") or {}
    low, high = x.get("min", 0.0), x.get("max", 1.0)
    tokens = layers[0]["type"] == "Embedding"
    integral = str(x.get("dtype", "")).startswith(("int", "uint")) or tokens
    top = min(high, layers[0]["input_dim"] - 1) if tokens else high
    lines = [
        "import keras",
        "import numpy as np",
        "",
        "keras.utils.set_random_seed(1)",
        "rng = np.random.default_rng(0)",
        f"n, shape = {rows}, {tuple(shape)}",
    ]
    if tokens and top > FACTORS:
        lines += _words(int(top))
    else:
        wide = math.prod(shape) > WIDE
        lines += _shown(shape) if wide else []
        unit = "unit" if wide else "rng.uniform(size=(n, *shape))"
        lines.append(f'x = ({low!r} + ({top!r} - {low!r}) * {unit}){".round()" if integral else ""}.astype("float32")')
        lines += [] if wide else READ
    return "\n".join(lines + _targets(facts, layers, loss)) + "\n"


def _words(top: int) -> list[str]:
    """Numbers of words up to `top`: each factor has its own words, frequent and rare ones."""
    return [
        f"hidden = rng.normal(size=(n, {FACTORS}))",
        "often = np.exp(hidden) / np.exp(hidden).sum(axis=1, keepdims=True)",
        "factor = (often.cumsum(axis=1)[:, None] < rng.uniform(size=(n, *shape, 1))).sum(axis=-1)",
        f'x = ((factor + {FACTORS} * rng.geometric(0.1, size=(n, *shape))) % {top + 1}).astype("float32")',
    ]


def _shown(shape: list[int]) -> list[str]:
    """Wide inputs between 0 and 1: each factor is a pattern, of patches in images, beside noise of the same size."""
    lines = [f"hidden = rng.normal(size=(n, {FACTORS}))", f"patterns = rng.normal(size=({FACTORS}, *shape))"]
    if len(shape) == 3:
        lines.append(f"patterns = patterns[:, ::{PATCH}, ::{PATCH}].repeat({PATCH}, axis=1).repeat({PATCH}, axis=2)")
        lines.append("patterns = patterns[:, : shape[0], : shape[1]]")
    signal = f"np.tensordot(hidden, patterns, 1) / {FACTORS**0.5:.3g}"
    return [*lines, f"unit = 1 / (1 + np.exp(-({signal} + rng.normal(size=(n, *shape)))))"]


def _targets(facts: dict[str, Any], layers: list[dict[str, Any]], loss: str) -> list[str]:
    y = facts.get("y") or {}
    units = next((layer["units"] for layer in reversed(layers) if layer.get("units")), 1)
    shape, classes = y.get("shape"), _classes(facts)
    if not shape and classes and loss.startswith("sparse"):
        return [f"y = (hidden @ rng.normal(size=({FACTORS}, {classes}))).argmax(axis=1)"]
    one_hot = units if loss == "categorical_crossentropy" else classes
    trailing = shape[1:] if shape else ([one_hot] if one_hot else [])
    width = math.prod(trailing) if trailing else 1
    low, high = y.get("min", 0.0), y.get("max", 1.0)
    few = y.get("n_unique")
    binary_values = {low, high} <= {0.0, 1.0, -1.0} and (few is None or few <= 2)
    probability = loss in ("binary_crossentropy", "hinge") or "categorical" in loss
    if width > 1 and binary_values:
        return [
            f"scores = hidden @ rng.normal(size=({FACTORS}, {width}))",
            f'y = np.eye({width}, dtype="float32")[scores.argmax(axis=1)].reshape(n, *{tuple(trailing)})',
        ]
    if width == 1 and ((binary_values and (few or probability)) or (few and few <= 50)):
        classes = few or 2
        return [
            f"ranks = (hidden @ rng.normal(size={FACTORS})).argsort().argsort() * {classes} // n",
            f'y = np.linspace({low!r}, {high!r}, {classes})[ranks].astype("float32").reshape(n, *{tuple(trailing)})',
        ]
    return [
        f"signal = hidden @ rng.normal(size=({FACTORS}, {width}))",
        "signal = (signal - signal.min()) / np.ptp(signal)",
        f'y = ({low!r} + ({high!r} - {low!r}) * signal).astype("float32").reshape(n, *{tuple(trailing)})',
    ]
