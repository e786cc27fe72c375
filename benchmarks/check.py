"""How fast `unstuck check` is: start-up, 1,000 files of 200 lines, and seconds of one processor a file."""

from __future__ import annotations

import ast
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.row import Row, row
from unstuck.source.check import ALONE

FILES, LINES = 1000, 200
STARTS, RUNS = 11, 5
START_GOAL = 0.3
_NO_BYTECODE = "PYTHONDONTWRITEBYTECODE"
FILE_GOAL = 0.1
"""Seconds of one processor; the best static analyser of notebooks takes about 6."""

_HEAD = """import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, train_test_split
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from tensorflow import keras
from tensorflow.keras.layers import Dense, Dropout
from tensorflow.keras.models import Sequential
"""
_STUDY = """

def prepare_{n}(path, columns=("a", "b", "c")):
    frame = pd.read_csv(path)
    frame = frame.dropna(subset=["target"]).reset_index(drop=True)
    for name in columns:
        frame[name] = frame[name].fillna(frame[name].{statistic}())
    frame["ratio"] = frame["a"] / (frame["b"] + 1)
    features = [name for name in frame.columns if name != "target"]
    return frame[features].values, frame["target"].values


def build_{n}(units={units}, rate=1e-{power}):
    model = Sequential()
    for size in (units, units // 2):
        model.add(Dense(size, activation="relu"))
        model.add(Dropout(0.2))
    model.add(Dense(1, activation="{activation}"))
    model.compile(keras.optimizers.Adam(rate), loss="binary_crossentropy", metrics=["accuracy"])
    return model


X_{n}, y_{n} = prepare_{n}("data_{n}.csv")
scaler_{n} = {scaler}()
X_{n} = scaler_{n}.fit_transform(X_{n})
X_train, X_test, y_train, y_test = train_test_split(X_{n}, y_{n}, test_size=0.2, random_state={n})
model_{n} = build_{n}()
history_{n} = model_{n}.fit(X_train, y_train, epochs=10, validation_split=0.1)
print(model_{n}.evaluate(X_test, y_test))
scores_{n} = []
for train, test in KFold(5).split(X_train):
    fold = LogisticRegression(C={units}).fit(X_train[train], y_train[train])
    scores_{n}.append(fold.score(X_train[test], y_train[test]))
print(np.mean(scores_{n}), np.std(scores_{n}))
"""


def bench() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        yield from _start(folder)
        yield from _many(folder)


def _start(folder: Path) -> Iterator[Row]:
    """A fresh process on one small file, with and without kept bytecode, and a Python that does nothing, in turns."""
    file = folder / "small.py"
    file.write_text(_HEAD)
    command = [sys.executable, "-m", "unstuck", "check", str(file)]
    plain = {name: value for name, value in os.environ.items() if name != _NO_BYTECODE}
    kept, none = {**plain, "PYTHONPYCACHEPREFIX": str(folder / "bytecode")}, {**plain, _NO_BYTECODE: "1"}
    _seconds(command, kept)  # writes the bytecode, as an installation by pip does
    installed, compiled, empty = [], [], []
    for _ in range(STARTS):
        installed.append(_seconds(command, kept))
        compiled.append(_seconds(command, none))
        empty.append(_seconds([sys.executable, "-c", "pass"]))
    file.unlink()
    yield row("check-start-up", installed, "s", goal=START_GOAL, better="lower", note="with bytecode, as pip installs")
    yield row("check-start-up-compiling", compiled, "s", better="lower", note=f"{_NO_BYTECODE}=1 in a fresh checkout")
    yield row("python-start-up", empty, "s", better="lower", note="an interpreter that does nothing, beside it")


def _many(folder: Path) -> Iterator[Row]:
    for number in range(FILES):
        (folder / f"study_{number:04}.py").write_text(program(number))
    check = [sys.executable, "-m", "unstuck", "check", "--format", "concise"]
    few = [str(folder / f"study_{number:04}.py") for number in range(ALONE)]
    wall, processor, ratios = [], [], []
    for _ in range(RUNS):
        wall.append(_seconds([*check, str(folder)]))
        own = (_processor([*check, *few]) - _processor([*check, few[0]])) / (ALONE - 1)
        processor.append(own)
        ratios.append(own / _parsing(few))
    yield row("check-1000-files-of-200-lines", wall, "s", better="lower", note="wall time, with all processors")
    note = f"{ALONE} files in one process, without start-up"
    yield row("check-processor-time-a-file", processor, "s", goal=FILE_GOAL, better="lower", note=note)
    yield row("check-against-parsing", ratios, "x", better="lower", note="times ast.parse of the same files")


def program(number: int) -> str:
    """A script of exactly 200 lines, one of many."""
    chance = random.Random(number)
    text = _HEAD
    while text.count("\n") < LINES:
        text += _STUDY.format(
            n=text.count("\n"),
            statistic=chance.choice(("mean", "median")),
            units=chance.choice((16, 32, 64)),
            power=chance.choice((2, 3, 4)),
            activation=chance.choice(("sigmoid", "softmax", "relu")),
            scaler=chance.choice(("StandardScaler", "MinMaxScaler")),
        )
    whole = text.splitlines()[:LINES]
    while True:  # the cut may stand in the middle of a block
        try:
            ast.parse("\n".join(whole))
            return "\n".join(whole + ["# the end"] * (LINES - len(whole))) + "\n"
        except SyntaxError:
            whole.pop()


def _seconds(command: list[str], environment: dict[str, str] | None = None) -> float:
    start = time.perf_counter()
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return time.perf_counter() - start


def _processor(command: list[str]) -> float:
    """Processor seconds of a command that starts no process of its own: those of others would not be counted."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    _seconds(command)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _parsing(files: list[str]) -> float:
    """Processor seconds a file."""
    start = time.process_time()
    for file in files:
        ast.parse(Path(file).read_text())
    return (time.process_time() - start) / len(files)
