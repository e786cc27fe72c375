"""The Keras callback that records one fit: data, configuration, per-step loss, epochs, weight snapshots.

The callback reads the arrays from the frame of the running `fit`, where `validation_split` has already been applied
and where nothing is consumed: on every backend the trainer's `fit` holds them as local variables.
"""

from __future__ import annotations

import sys
import time
from types import FrameType
from typing import Any

import keras
import numpy as np

from unstuck.record import custom
from unstuck.record.describe import custom_objects, describe_model
from unstuck.record.recorder import Recorder, environment
from unstuck.record.sample import sample_arrays
from unstuck.record.sites import Site

MAX_SNAPSHOT_BYTES = 64 * 2**20
_PLAIN = (int, float, str, bool, type(None))


class FitRecorder(keras.callbacks.Callback):
    """Records one call of `fit` into the run folder of `recorder`. Changes nothing in the training."""

    def __init__(self, recorder: Recorder, site: Site | None = None, arguments: dict[str, Any] | None = None) -> None:
        super().__init__()
        self._recorder = recorder
        self._site = site
        self._arguments = arguments or {}
        self._number: int | None = None
        self._snapshot_bytes = 0

    # Keras calls these; each is guarded.

    def on_train_begin(self, logs: Any = None) -> None:
        frame = _fit_frame(self.model)
        self._recorder.guard(lambda: self._begin(frame), "fit begin")

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._epoch = epoch
        self._weighted, self._rows_seen = 0.0, 0

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._recorder.guard(lambda: self._step(batch, logs), "batch end")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._recorder.guard(lambda: self._end_epoch(epoch, logs), "epoch end")

    def on_train_end(self, logs: Any = None) -> None:
        self._recorder.guard(lambda: self._end("completed"), "fit end")

    # What they do.

    def refused(self, model: Any, error: BaseException) -> None:
        """The fit ended with `error`; record what was handed to it if training never began."""
        if self._number is None:
            self.set_model(model)
            arguments = dict(self._arguments)
            self._start(model, arguments, *_held_out(arguments))
        self._end(
            "interrupted" if isinstance(error, KeyboardInterrupt) else "raised",
            error=f"{type(error).__name__}: {str(error)[:2000]}",
        )

    def _begin(self, frame: FrameType | None) -> None:
        found = dict(frame.f_locals) if frame is not None else dict(self._arguments)
        held = (found.get("val_x"), found.get("val_y"), found.get("val_sample_weight"))
        if held[0] is None:
            held = _held_out(found)
        if self._site is None:
            self._site = self._recorder.site(depth=4)
        self._start(self.model, found, *held)

    def _start(self, model: Any, found: dict[str, Any], held_x: Any, held_y: Any, held_weight: Any) -> None:
        recorder = self._recorder
        self._number = number = recorder.fits
        recorder.fits += 1
        self._epoch, self._total, self._weighted, self._rows_seen = 0, 0, 0.0, 0
        self._started = time.time()
        self._next_snapshot = 1
        train, arrays = sample_arrays(
            "train", found.get("x"), found.get("y"), found.get("sample_weight"), values=recorder.samples
        )
        held, more = sample_arrays("held", held_x, held_y, held_weight, values=recorder.samples)
        iterator = found.get("epoch_iterator")
        self._batch_size = int(
            found.get("batch_size") or getattr(getattr(iterator, "data_adapter", None), "batch_size", None) or 32
        )
        self._rows = int(train.get("rows") or 0)
        recorder.writer.event(
            "fit",
            {
                "site": self._site,
                "compile_site": recorder.compile_site_of(model),
                "model": describe_model(model, recorder.site_of),
                "model_id": id(model),
                "backend": keras.backend.backend(),
                "environment": environment(),
                "arguments": {k: v for k, v in found.items() if isinstance(v, _PLAIN) and k != "self"},
                "batch_size": self._batch_size,
                "epochs": int(found.get("epochs") or 1),
                "shuffle": bool(found.get("shuffle", True)),
                "class_weight": {str(k): v for k, v in (found.get("class_weight") or {}).items()} or None,
                "callbacks": [type(c).__name__ for c in _listed(found.get("callbacks"))],
                "validation_split": found.get("validation_split") or 0.0,
                "train": train,
                "held": held,
                "floatx": keras.config.floatx(),
                "seed_was_set": keras.src.utils.rng_utils.get_random_seed() is not None,
            },
            fit=number,
        )
        if arrays or more:
            recorder.writer.arrays(f"fit-{number}-data", {**arrays, **more})
        objects = custom_objects(model)
        if objects and not custom.save(recorder.folder, f"custom-{number}", objects):
            recorder.writer.event("note", {"text": "custom objects could not be pickled: " + ", ".join(objects)})
        self._described = bool(model.built)
        if model.built:
            self._snapshot(0)
        recorder.writer.commit()

    def _step(self, batch: int, logs: Any) -> None:
        if self._number is None:
            return
        rows = self._batch_rows(batch)
        mean = float((logs or {}).get("loss", np.nan))
        # Keras hands over the mean over all rows of the epoch so far; the difference is this batch's loss.
        total = mean * (self._rows_seen + rows)
        loss = (total - self._weighted) / rows if np.isfinite(self._weighted) else mean
        self._weighted, self._rows_seen = total, self._rows_seen + rows
        self._total += 1
        self._recorder.writer.step(self._number, self._epoch, self._total, loss)
        if not self._described:  # TensorFlow builds a model without an input shape in its first step
            self._described = True
            description = describe_model(self.model, self._recorder.site_of)
            self._recorder.writer.event("model", description, fit=self._number)
        if self._total == self._next_snapshot:
            self._next_snapshot *= 4
            self._snapshot(self._total)

    def _batch_rows(self, batch: int) -> int:
        left = self._rows - batch * self._batch_size
        return min(self._batch_size, left) if left > 0 else self._batch_size

    def _end_epoch(self, epoch: int, logs: Any) -> None:
        if self._number is not None:
            values = {k: float(v) for k, v in (logs or {}).items() if np.ndim(v) == 0}
            self._recorder.writer.event(
                "epoch", {"epoch": epoch, "step": self._total, "logs": values}, fit=self._number
            )

    def _end(self, status: str, *, error: str = "") -> None:
        if self._number is None:
            return
        if status == "completed" or self._total:
            self._snapshot(self._total, last=True)
        self._recorder.writer.event(
            "fit-end",
            {"status": status, "error": error, "steps": self._total, "seconds": time.time() - self._started},
            fit=self._number,
        )
        self._recorder.writer.commit()

    def _snapshot(self, step: int, *, last: bool = False) -> None:
        values = _variable_values(self.model)
        size = sum(v.nbytes for v in values)
        if not last and step and self._snapshot_bytes + size > MAX_SNAPSHOT_BYTES:
            return
        self._snapshot_bytes += size
        name = f"fit-{self._number}-weights-{step:09d}"
        self._recorder.writer.arrays(name, {f"v{i}": v for i, v in enumerate(values)})


def _variable_values(model: Any) -> list[np.ndarray]:
    """Values of `model.variables` now. On JAX they live in the trainer's state while an epoch runs."""
    state = getattr(model, "_jax_state", None)
    fresh: dict[int, Any] = {}
    if state and not getattr(model, "_jax_state_synced", True):
        for kind in ("trainable_variables", "non_trainable_variables"):
            values = state.get(kind)
            if values is not None:
                fresh.update({id(v): value for v, value in zip(getattr(model, kind), values, strict=True)})
    return [np.array(keras.ops.convert_to_numpy(fresh.get(id(v), v))) for v in model.variables]


def _fit_frame(model: Any) -> FrameType | None:
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_name == "fit" and "epoch_iterator" in frame.f_code.co_varnames:
            return frame if frame.f_locals.get("self") is model else None
        frame = frame.f_back
    return None


def _held_out(found: dict[str, Any]) -> tuple[Any, Any, Any]:
    data = found.get("validation_data")
    if isinstance(data, (list, tuple)) and 2 <= len(data) <= 3:
        return data[0], data[1], data[2] if len(data) == 3 else None
    return None, None, None


def _listed(callbacks: Any) -> list[Any]:
    if callbacks is None:
        return []
    return list(getattr(callbacks, "callbacks", callbacks if isinstance(callbacks, (list, tuple)) else [callbacks]))
