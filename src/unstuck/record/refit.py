"""Record a short fit of a rebuilt copy of a model, in a process of its own; the person's model is not touched."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from unstuck.record import custom
from unstuck.record.rebuild import arranged, rebuild
from unstuck.record.sites import Site

SEED = 0


@dataclass(frozen=True)
class Request:
    """A fit to record.

    Attributes:
        config, settings: serialized model and compile settings. weights: variables to start from, or None for a
            fresh initialisation. x: one array an input. held: (inputs, targets) or None.
    """

    config: dict[str, Any]
    settings: dict[str, Any]
    weights: tuple[np.ndarray, ...] | None
    x: tuple[np.ndarray, ...]
    y: np.ndarray
    held: tuple[tuple[np.ndarray, ...], np.ndarray] | None
    epochs: int
    batch_size: int
    site: Site | None


def record_fit(folder: Path, request: Request) -> str:
    """Fit the copy and record it in `folder`. Returns "" or the error the fit ended with."""
    import keras

    from unstuck.record.recorder import Recorder, environment
    from unstuck.record.watch import FitRecorder

    keras.utils.set_random_seed(SEED)
    objects = custom.load(folder, "custom-0") or {}
    model = rebuild(request.config, request.settings, objects, request.x)
    if request.weights is not None:
        for variable, value in zip(model.variables, request.weights, strict=True):
            variable.assign(value)
    recorder = Recorder(folder)
    recorder.writer.meta("started", time.time())
    recorder.writer.meta("environment", environment())
    if request.site:
        recorder.writer.source(request.site["file"])
    held = None if request.held is None else (arranged(list(request.held[0]), model), request.held[1])
    arguments = {
        "x": arranged(list(request.x), model),
        "y": request.y,
        "batch_size": request.batch_size,
        "epochs": request.epochs,
        "validation_data": held,
        "shuffle": True,
    }
    watch = FitRecorder(recorder, request.site, arguments)
    error = ""
    try:
        model.fit(**arguments, verbose=0, callbacks=[watch])
    except Exception as problem:
        error = f"{type(problem).__name__}: {problem}"
        watch.refused(model, problem)
    recorder.close("completed" if not error else f"raised {error.split(':')[0]}")
    return error
