"""How fast trials are: a plan of 64 against 64 fresh fits on each backend, worker start-up included. And how right."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import planted
from benchmarks.equivalence import equivalence
from benchmarks.programs import BATCH, EPOCHS, NAMES, data, model
from benchmarks.row import Row, row
from unstuck.experiments.experiment import Experiment
from unstuck.experiments.outcome import Job
from unstuck.experiments.worker import Worker

SEEDS, RATES = 8, np.geomspace(1e-4, 1e-2, 8)
REPEATS = 5
BACKENDS = ("jax", "tensorflow", "torch")
GOALS = {"mlp": 100.0, "cnn": 5.0, "lstm": 10.0, "transformer": 10.0}
COLD_GOALS = {"mlp": 40.0}
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}


def bench() -> Iterator[Row]:
    peers = {backend: _Peer(backend) for backend in BACKENDS}
    try:
        for name in NAMES:
            yield from _against_fits(name, peers)
    finally:
        for peer in peers.values():
            peer.close()
    yield from _structural_change()


def quality() -> Iterator[Row]:
    yield from equivalence()
    yield from planted.healthy()
    yield from planted.singles()
    yield from planted.pairs()
    planted.WORKERS.close()


def _against_fits(name: str, peers: dict[str, _Peer]) -> Iterator[Row]:
    jobs = _plan(name)
    _plan_seconds(jobs)  # fills the compile cache
    for peer in peers.values():
        peer.fit(name)  # the first fit of a process also loads and warms the library
    warm, started, memory = [], [], []
    fits: dict[str, list[float]] = {backend: [] for backend in peers}
    for _ in range(REPEATS):
        seconds, start, peak = _plan_seconds(jobs)
        warm.append(seconds)
        started.append(start)
        memory.append(peak)
        for backend, peer in peers.items():
            fits[backend].append(peer.fit(name))
    cold = [_plan_seconds(jobs, cold=True)[0] for _ in range(3)]
    note = f"{len(jobs)} fits, scaled from a sample of {REPEATS} on one thread"
    for backend, each in fits.items():
        total = [len(jobs) * seconds for seconds in each]
        ratios = [t / w for t, w in zip(total, warm, strict=True)]
        yield row(f"{name}-64-trials-warm-vs-{backend}-fit", ratios, "x", goal=GOALS[name], note=note)
        without = [t / (w - s) for t, w, s in zip(total, warm, started, strict=True)]
        yield row(f"{name}-64-trials-in-a-running-worker-vs-{backend}-fit", without, "x", note=note)
        cold_ratios = [t / c for t, c in zip(total[: len(cold)], cold, strict=True)]
        yield row(f"{name}-64-trials-cold-vs-{backend}-fit", cold_ratios, "x", goal=COLD_GOALS.get(name), note=note)
        limit = [t / s for t, s in zip(total, started, strict=True)]
        yield row(f"{name}-64-trials-in-no-time-vs-{backend}-fit", limit, "x", note="were it only to start the worker")
    yield row(f"{name}-64-trials-warm", warm, "s", better="lower")
    yield row(f"{name}-worker-start", started, "s", better="lower")
    yield row(f"{name}-64-trials-peak-memory", memory, "MiB", better="lower")


def _structural_change() -> Iterator[Row]:
    """Another activation, three seeds, in a worker that runs, its program in the compile cache."""
    base = _experiment("mlp")
    changed, config = base.with_model()
    config["config"]["layers"][1]["config"]["activation"] = "tanh"
    jobs = [Job(changed, seed) for seed in range(3)]
    seconds = []
    for repeat in range(REPEATS + 1):
        with Worker("jax") as worker:
            worker.train([Job(base, 0)], seconds=300)
            began = time.perf_counter()
            worker.train(jobs, seconds=300)
            if repeat:  # the first fills the cache
                seconds.append(time.perf_counter() - began)
    yield row("mlp-structural-change-warm", seconds, "s", goal=1.0, better="lower")


def _plan(name: str) -> list[Job]:
    base = _experiment(name)
    return [Job(replace(base, learning_rate=float(rate)), seed) for seed in range(SEEDS) for rate in RATES]


def _experiment(name: str) -> Experiment:
    import keras

    built = model(name)
    x, y = data(name)
    return Experiment(
        model=keras.saving.serialize_keras_object(built),
        compile=built.get_compile_config(),
        x=(x,),
        y=y,
        held_x=(x[:200],),
        batch_size=BATCH,
        epochs=EPOCHS[name],
        learning_rate=1e-3,
    )


def _plan_seconds(jobs: list[Job], *, cold: bool = False) -> tuple[float, float, float]:
    """Seconds of a plan in a fresh worker, of starting that worker alone, and its peak memory in MiB."""
    before = os.environ.get("XDG_CACHE_HOME")
    with tempfile.TemporaryDirectory() as empty:
        if cold:
            os.environ["XDG_CACHE_HOME"] = empty
        try:
            began = time.perf_counter()
            with Worker("jax") as worker:
                worker.train([], seconds=300)
                start = time.perf_counter() - began
                worker.train(jobs, seconds=900)
                return time.perf_counter() - began, start, _peak(worker)
        finally:
            if cold:
                os.environ.pop("XDG_CACHE_HOME")
                os.environ.update({} if before is None else {"XDG_CACHE_HOME": before})


def _peak(worker: Worker) -> float:
    assert worker.pid is not None
    status = Path(f"/proc/{worker.pid}/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), float("nan"))


class _Peer:
    """A process of one backend, one thread, that fits fresh models when asked."""

    def __init__(self, backend: str) -> None:
        environment: dict[str, Any] = {**os.environ, **ONE_THREAD, "KERAS_BACKEND": backend}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.programs"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            text=True,
        )

    def fit(self, name: str) -> float:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(name + "\n")
        self._process.stdin.flush()
        return float(self._process.stdout.readline())

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
