"""A stand-alone script that shows a cause and its cure, with the recorded rows in a file beside it."""

from __future__ import annotations

import io
import pprint
from typing import TYPE_CHECKING

from unstuck.report.words import clean

if TYPE_CHECKING:
    from unstuck.diagnosis.repro import Pair
    from unstuck.experiments.experiment import Experiment
    from unstuck.finding import Finding

_SCRIPT = '''\
"""{title}

As written, and with one change: {label}.
Written by unstuck from run {run}. Needs keras, numpy and {data}.
"""

import os

os.environ.setdefault("KERAS_BACKEND", {backend!r})

from pathlib import Path

import keras
import numpy as np

DATA = np.load(Path(__file__).with_name({data!r}))
AS_WRITTEN = {written}
CHANGED = {cured}


def run(name, part):
    keras.utils.set_random_seed(0)
    rows = {{key.removeprefix(name + "-"): DATA[key] for key in DATA.files if key.startswith(name + "-")}}
    inputs, held = ([rows[f"{{kind}}{{i}}"] for i in range(part["inputs"])] for kind in ("x", "held"))
    targets = [rows[f"y{{i}}"] for i in range(part["outputs"])]
    model = keras.saving.deserialize_keras_object(part["model"])
    if not model.built:
        model.build([a.shape for a in inputs] if len(inputs) > 1 else inputs[0].shape)
    model.compile_from_config(part["compile"])
    if part["learning_rate"] is not None:
        model.optimizer.learning_rate = part["learning_rate"]
    before = [np.array(w) for w in model.get_weights()]
    history = model.fit(
        inputs if len(inputs) > 1 else inputs[0],
        targets if len(targets) > 1 else targets[0],
        sample_weight=rows.get("weight"),
        batch_size=part["batch_size"],
        epochs=part["epochs"],
        shuffle=part["shuffle"],
        verbose=0,
    )
    moved = max(float(np.abs(a - b).max(initial=0)) for a, b in zip(before, model.get_weights()))
    answers = np.asarray(model.predict(held if len(held) > 1 else held[0], verbose=0))
    loss = history.history["loss"]
    print(f"{{name}}: training loss {{loss[0]:.4g}} -> {{loss[-1]:.4g}}, weights moved by {{moved:.2g}}, ", end="")
    print(score(answers, part["activation"]))


def score(answers, activation):
    """Held-out accuracy, or R2 for numbers."""
    labels = DATA["labels"]
    if {classes!r}:
        answers = answers.reshape(-1, answers.shape[-1])
        single = answers[:, 0] > (0 if activation == "sigmoid" else 0.5)
        chosen = answers.argmax(axis=1) if answers.shape[1] > 1 else single
        return f"held-out accuracy {{np.mean(chosen == labels.reshape(-1)):.3f}}"
    errors = answers.reshape(labels.shape) * DATA["scale"] + DATA["shift"] - labels
    return f"held-out R2 {{1 - np.mean(errors**2) / np.var(labels):.3f}}"


run("as written", AS_WRITTEN)
run("changed", CHANGED)
'''


def script(pair: Pair, finding: Finding, run: str, data: str) -> str:
    """The text of the script; `data` is the name of the file of rows."""
    return _SCRIPT.format(
        title=_quotable(f"{finding.rule}: {finding.message}"),
        label=_quotable(pair.label),
        run=_quotable(run),
        data=data,
        backend=pair.backend,
        written=_literal(pair.written),
        cured=_literal(pair.cured),
        classes=pair.classes,
    )


def rows(pair: Pair) -> bytes:
    """The arrays of both experiments and the held-out labels, as a compressed .npz."""
    import numpy as np

    arrays = {"labels": pair.held_y, "scale": pair.cured.decoding.scale, "shift": pair.cured.decoding.shift}
    for name, experiment in (("as written", pair.written), ("changed", pair.cured)):
        arrays |= {f"{name}-x{i}": a for i, a in enumerate(experiment.x)}
        arrays |= {f"{name}-y{i}": a for i, a in enumerate(experiment.targets)}
        arrays |= {f"{name}-held{i}": a for i, a in enumerate(experiment.held_x)}
        if experiment.weight is not None:
            arrays[f"{name}-weight"] = experiment.weight
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def _literal(experiment: Experiment) -> str:
    part = {
        "inputs": len(experiment.x),
        "outputs": len(experiment.targets),
        "batch_size": experiment.batch_size,
        "epochs": experiment.epochs,
        "shuffle": experiment.shuffle,
        "learning_rate": experiment.learning_rate,
        "activation": experiment.decoding.activation,
        "model": experiment.model,
        "compile": experiment.compile,
    }
    return pprint.pformat(part, width=110, sort_dicts=False)


def _quotable(text: str) -> str:
    """A text that cannot end the docstring it stands in."""
    return clean(text).replace("\\", "/").replace('"', "'")
