"""What a fault of ours does to the script: each hook is made to raise in turn, and the script must not notice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.row import Row, row
from unstuck.record.store import Reader

SCRIPT = """
import sys
import keras
import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

keras.utils.set_random_seed(1)
rng = np.random.default_rng(0)
x, y = rng.normal(size=(120, 6)), rng.integers(0, 2, 120)
x_train, x_test, y_train, y_test = train_test_split(x, y, random_state=0)
scaler = StandardScaler().fit(x_train)
x_train, x_test = scaler.transform(x_train), scaler.transform(x_test)


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 3

    def __getitem__(self, index):
        return x_train[index * 30 :][:30], y_train[index * 30 :][:30]


model = keras.Sequential([keras.layers.Dense(8, activation="relu"), keras.layers.Dropout(0.2),
                          keras.layers.Dense(1, activation="sigmoid")])
model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
print(model.fit(x_train, y_train, epochs=2, validation_data=Batches(), verbose=0).history)
print(model.fit(Batches(), epochs=2, verbose=0).history)
print(model.train_on_batch(x_train[:30], y_train[:30]))
print(model.evaluate(Batches(), verbose=0), model.evaluate(x_test, y_test, verbose=0))
print(model.predict(x_test[:4], verbose=0).tolist())
try:
    model.fit(x_train, y_train[:9], verbose=0)
except ValueError as error:
    print(error)
np.savez("weights.npz", *model.get_weights())
print("random state", np.random.rand(), rng.random())
sys.exit(3)
"""
CHILD = """
import json, sys
from unstuck.record.recorder import Recorder

target, arguments = sys.argv[1], sys.argv[2:]
guard, seen = Recorder.guard, []

def broken(self, action, where, *given):
    seen.append(where)
    if where == target:
        def action(*given):
            raise MemoryError("made to fail")
    return guard(self, action, where, *given)

Recorder.guard = broken
from unstuck.record.execute import main
code = main(arguments)
with open("hooks.json", "w") as file:
    json.dump(sorted(set(seen)), file)
sys.exit(code)
"""


@dataclass(frozen=True)
class _Ended:
    stdout: str
    status: int
    weights: bytes


def quality() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "train.py").write_text(SCRIPT)
        plain = _run(folder, [sys.executable, "train.py"])
        hooks = _watched(folder, "", plain)[0]
        unchanged, noted = [], []
        for hook in hooks:
            _, same, note = _watched(folder, hook, plain)
            unchanged.append(same)
            noted.append(note)
            if not same:
                yield row(f"changed-by-a-fault-in-{hook.replace(' ', '-')}", [1], "scripts", goal=0, better="lower")
    share = 100.0 * sum(unchanged) / len(hooks)
    yield row("scripts-unchanged-by-a-fault", [share], "%", goal=100, note=f"{len(hooks)} hooks: {', '.join(hooks)}")
    yield row("faults-noted-in-the-record", [100.0 * sum(noted) / len(hooks)], "%", goal=100)


def _watched(folder: Path, hook: str, plain: _Ended) -> tuple[list[str], bool, bool]:
    """The hooks that were called, whether the script was unchanged, and whether the fault is in the record."""
    run = folder / f"run-{hook.replace(' ', '-')}"
    run.mkdir()
    options = json.dumps({"samples": True, "module": False})
    ended = _run(folder, [sys.executable, "-c", CHILD, hook, str(run), options, "train.py"])
    reader = Reader(run)
    faults = [body["where"] for _, _, _, body in reader.events("fault")]
    reader.close()
    return json.loads((folder / "hooks.json").read_text()), ended == plain, hook in faults


def _run(folder: Path, command: list[str]) -> _Ended:
    environment = dict(os.environ, KERAS_BACKEND="jax", PYTHONWARNINGS="ignore")
    (folder / "weights.npz").unlink(missing_ok=True)
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    weights = folder / "weights.npz"
    return _Ended(done.stdout, done.returncode, weights.read_bytes() if weights.exists() else b"")
