"""Does a published fault do harm on our data? Plain Keras, nothing of ours: the program beside a standard network.

`python -m benchmarks.corpus.harm` trains each rebuilt program with three seeds, and two layers of 64 relus with the
head and the loss that suit the labels, Adam and standardised inputs, on the same rows; both are scored on further rows.
A program that reaches as much as that network is not sick, whatever is wrong with it. It counts as missed all the same;
docs/quality.md gives the figures as the cause.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from statistics import mean
from typing import Any

from benchmarks.corpus.limit import TrainsTooLong, at_most

KEPT = Path(__file__).parent / "harm.jsonl"
SEEDS, FURTHER = (1, 2, 3), 500
"""Seeds of a program, and rows that it is scored on."""
MARGIN = 0.05
LONGEST = 240
"""Seconds for all seeds of one program; of one that takes longer nothing is known, and it stays."""
EPOCHS, BATCH = 60, 32
"""Of the standard network."""


def harmless() -> dict[str, str]:
    """The figures of programs that do as well as a standard network, which learns something, by their id."""
    found = {}
    for one in _known():
        if not one["skill"]:
            continue
        own, standard = mean(one["skill"]), mean(one["standard"])
        if standard > 2 * MARGIN and own >= standard - MARGIN:
            reached = f"skill {own:.2f} on further rows, a standard network {standard:.2f}"
            found[one["id"]] = f"The fault does no harm on our data: {reached}."
    return found


def _known() -> list[dict[str, Any]]:
    return [json.loads(line) for line in KEPT.read_text().splitlines()]


def measured(script: str) -> dict[str, list[float]]:
    """Skill of the program and of the standard network on further rows, a value for each seed."""
    found: dict[str, list[float]] = {"skill": [], "standard": []}
    for seed in SEEDS:
        data, program = script.replace("set_random_seed(1)", f"set_random_seed({seed})").split("model = ", 1)
        rows = int(re.search(r"^n, shape = (\d+),", data, re.M)[1])  # type: ignore[index]
        names: dict[str, Any] = {}
        exec(data.replace(f"n, shape = {rows},", f"n, shape = {rows + FURTHER},"), names)
        x, y = names["x"], names["y"]
        names["x"], names["y"] = x[:rows], y[:rows]
        try:
            exec(f"model = {program}", names)
            found["skill"].append(round(skill(y[rows:], names["model"].predict(x[rows:], verbose=0)), 3))
        except ValueError:  # shapes that do not fit: it does not train at all
            found["skill"].append(0.0)
        found["standard"].append(round(_standard(x, y, rows), 3))
    return found


def skill(y: Any, said: Any) -> float:
    """Accuracy against the most frequent class for classes, R2 for the rest; 0 is a constant answer."""
    import numpy as np

    y, said = np.asarray(y), np.asarray(said)
    if not np.isfinite(said).all():
        return 0.0
    kind = _kind(y)
    if kind == "regression":
        return float(1 - ((y.ravel() - said.ravel()) ** 2).mean() / y.var()) if said.size == y.size else 0.0
    truth = y.argmax(axis=-1) if kind == "one-hot" else np.unique(y, return_inverse=True)[1]
    answer = said.argmax(axis=-1) if said.ndim > 1 and said.shape[-1] > 1 else said > (y.max() + y.min()) / 2
    truth, answer = truth.ravel(), np.asarray(answer).ravel()
    if truth.size != answer.size:
        return 0.0
    often = float(np.bincount(truth).max()) / truth.size
    return float(((truth == answer).mean() - often) / (1 - often)) if often < 1 else 0.0


def _kind(y: Any) -> str:
    import numpy as np

    if y.ndim > 1 and y.shape[-1] > 1 and set(np.unique(y)) <= {0, 1}:
        return "one-hot"
    return "classes" if len(np.unique(y)) <= 50 and y.ndim <= 2 and y.size == len(y) else "regression"


def _standard(x: Any, y: Any, rows: int) -> float:
    import keras
    import numpy as np

    flat = x.reshape(len(x), -1)
    flat = (flat - flat[:rows].mean(axis=0)) / (flat[:rows].std(axis=0) + 1e-6)
    kind = _kind(y)
    if kind == "regression":
        target = y.reshape(len(y), -1)
        target, head, loss = (target - target[:rows].mean()) / (target[:rows].std() + 1e-12), None, "mse"
    else:
        labels = y.argmax(axis=-1) if kind == "one-hot" else np.unique(y, return_inverse=True)[1].reshape(len(y))
        target, head, loss = labels.reshape(len(y), -1), "softmax", "sparse_categorical_crossentropy"
    width = target.shape[1]
    classes = int(target.max()) + 1 if head else 1
    model = keras.Sequential(
        [
            keras.Input((flat.shape[1],)),
            keras.layers.Dense(64, "relu"),
            keras.layers.Dense(64, "relu"),
            keras.layers.Dense(width * classes),
            keras.layers.Reshape((width, classes)),
            keras.layers.Activation(head or "linear"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.001), loss=loss)
    model.fit(flat[:rows], target[:rows, :, None], epochs=EPOCHS, batch_size=BATCH, verbose=0)
    said = model.predict(flat[rows:], verbose=0)
    further = target[rows:]
    if head is None:
        return skill(further, said[..., 0])
    return skill(np.eye(classes)[further.ravel()], said.reshape(-1, classes))


def main() -> None:
    from benchmarks.corpus import cases

    known = {one["id"] for one in _known()}
    for name, case in cases.rebuilt():
        if isinstance(case, str) or name in known:
            continue
        try:
            with at_most(LONGEST):
                figures = measured(case.script)
        except TrainsTooLong:
            figures = {"skill": [], "standard": []}
        line = json.dumps({"id": name, **figures})
        print(line, flush=True)
        with KEPT.open("a") as kept:
            kept.write(f"{line}\n")


if __name__ == "__main__":
    main()
