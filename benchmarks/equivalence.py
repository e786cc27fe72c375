"""Do JAX trials replay what TensorFlow and PyTorch trained? The first 50 losses, from the recorded weights and batches.

The list of fits is `replayed.py`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from benchmarks import replayed
from benchmarks.row import Row, row

GOAL = 1e-4
BACKENDS = ("tensorflow", "torch")
KNOWN = {
    ("tensorflow", "Embedding with mask, LSTM"): "TensorFlow hands Adam the gradient of an embedding as rows, several "
    "for a token that comes several times in a batch, and Adam squares each of them, not their sum; SGD is the same",
}
"""What does not match, and why."""


def equivalence() -> Iterator[Row]:
    """One row a fit and backend: the largest relative difference of the first losses."""
    from unstuck.experiments.base import as_written
    from unstuck.experiments.outcome import Job
    from unstuck.experiments.reproduction import Recorded
    from unstuck.experiments.worker import Worker, WorkerLost
    from unstuck.measure.case import Case
    from unstuck.record.launch import run_script
    from unstuck.record.recorded import read_run

    names, own = list(replayed.fits()), os.environ.get("KERAS_BACKEND", "jax")
    with Worker("jax") as worker:
        for backend in BACKENDS:
            os.environ["KERAS_BACKEND"] = backend
            try:
                recording = run_script(Path(replayed.__file__), ())
            finally:
                os.environ["KERAS_BACKEND"] = own
            run = read_run(recording.folder)
            for name, fit in zip(names, run.fits, strict=True):
                base = as_written(Case(run, fit))
                try:
                    outcome = worker.train([Job(base, 0)], seconds=300)[0]
                    off = Recorded.of(Case(run, fit), base).off_by(outcome.losses)
                    note = KNOWN.get((backend, name), "") if off is not None else "nothing to compare"
                except WorkerLost as lost:
                    off, note = None, str(lost)
                value = float("inf") if off is None else off
                yield row(f"replay of {backend}: {name}", [value], "relative", goal=GOAL, better="lower", note=note)
