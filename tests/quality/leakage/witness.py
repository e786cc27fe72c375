"""What the rules say of a planted case, from its record alone: no training, no trial."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from tests.quality.leakage.planted import Planted
from unstuck.diagnosis.judge import judge
from unstuck.measure.case import Case
from unstuck.record.recorded import read_run
from unstuck.record.recorder import Recorder
from unstuck.record.sample import sample_arrays
from unstuck.record.surroundings import record_surroundings
from unstuck.rules import catalogue

LEAKS = tuple(rule for rule in catalogue() if rule.code.startswith("LEK"))
MODEL = {
    "kind": "Sequential",
    "layers": [
        {
            "name": "dense",
            "kind": "Dense",
            "config": {"units": 1, "activation": "linear"},
            "trainable": True,
            "params": 11,
            "output_shape": [None, 1],
            "site": None,
            "module": "keras.layers",
        }
    ],
    "optimizer": {},
}


def suspected(planted: Planted) -> dict[str, str]:
    """Rules that suspect a leak, and what they say."""
    with tempfile.TemporaryDirectory() as folder:
        case = recorded(planted, Path(folder))
        found = {rule.name: judge(rule, case) for rule in LEAKS}
        crashed = {name: entry.result.reason for name, entry in found.items() if entry.result.outcome == "crashed"}
        assert not crashed, crashed
        return {name: entry.suspect.message for name, entry in found.items() if entry.suspect is not None}


def recorded(planted: Planted, folder: Path) -> Case:
    """The case as a run would record it, its variables around the call of fit."""
    space: dict[str, Any] = {**planted.variables, "fit": lambda: _record(planted, folder)}
    exec(compile("fit()", str(folder / "train.py"), "exec"), space)
    run = read_run(folder)
    assert not [event.body for event in run.events if event.kind == "fault"]
    return Case(run, run.fits[0])


def _record(planted: Planted, folder: Path) -> None:
    recorder = Recorder(folder)
    train, arrays = sample_arrays("train", planted.x, planted.y, None, values=True)
    held, more = sample_arrays("held", planted.held_x, planted.held_y, None, values=True)
    body = {
        "site": None,
        "model": MODEL,
        "backend": "jax",
        "batch_size": 32,
        "epochs": 1,
        "train": train,
        "held": held,
        "validation_split": 0.25 if planted.by_fit else 0.0,
        "environment": {"versions": {}},
    }
    recorder.writer.event("fit", body, fit=0)
    recorder.writer.arrays("fit-0-data", {**arrays, **more})
    recorder.guard(lambda: record_surroundings(recorder, 0, planted.x, len(planted.x)), "surroundings")
    recorder.close("completed")
