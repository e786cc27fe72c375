"""What watching costs: epochs with the recorder against those without beside them, on each backend; and its start."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks import peers
from benchmarks.row import Row, row
from unstuck.record.launch import run_script

BACKENDS = ("jax", "tensorflow", "torch")
START_UPS = 5
RATIO_GOAL = 1.02
START_UP_GOAL = 0.3
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONWARNINGS": "ignore"}


def bench() -> Iterator[Row]:
    for backend in BACKENDS:
        yield from _fits(backend)
    yield from _start_up("empty", "")
    yield from _start_up("import-keras", "import keras")


def _fits(backend: str) -> Iterator[Row]:
    command = [sys.executable, "-m", "benchmarks.recorder_child"]
    environment = dict(os.environ, KERAS_BACKEND=backend, **QUIET)
    with contextlib.suppress(peers.Unavailable):
        environment["PYTHONPATH"] = str(peers.beside("tensorboard"))
    child = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert child.stdout is not None
    for line in child.stdout:
        found = json.loads(line)
        name = f"{found['model']}-{backend}"
        plain, watched = found["plain"], found["watched"]
        middle = sorted(plain)[len(plain) // 2][0]
        note = f"epochs of {found['steps']} steps on {found['megabytes']} MB, {middle:.2f} s each"
        wall, spent = ([w[i] / p[i] for w, p in zip(watched, plain, strict=True)] for i in (0, 1))
        yield row(f"{name}-watched-vs-plain", wall, "x", goal=RATIO_GOAL, better="lower", note=note)
        yield row(f"{name}-watched-vs-plain-processor", spent, "x", better="lower", note="processor time")
        once = "begin, end, and what the first epoch took longer"
        yield row(f"{name}-once-in-a-fit", [found["once"]], "s", better="lower", note=once)
        if found["tensorboard"]:
            beside, without = found["tensorboard"]
            yield row(f"{name}-tensorboard-vs-plain", [beside / without], "x", better="lower", note="histogram_freq=1")
    child.wait()


def _start_up(name: str, source: str) -> Iterator[Row]:
    """Seconds that a script takes longer when it is recorded, beside what it takes plainly."""
    plain, beyond = [], []
    with tempfile.TemporaryDirectory() as place:
        script = Path(place) / "script.py"
        script.write_text(source)
        for _ in range(START_UPS):
            began = time.perf_counter()
            subprocess.run([sys.executable, str(script)], check=True, stderr=subprocess.DEVNULL)
            plain.append(time.perf_counter() - began)
            began = time.perf_counter()
            run_script(script, root=Path(place))
            beyond.append(time.perf_counter() - began - plain[-1])
    yield row(f"start-up-{name}-beyond-plain", beyond, "s", goal=START_UP_GOAL, better="lower")
    yield row(f"start-up-{name}-plain", plain, "s", better="lower")
