"""One training as it is written to the run folder: a call of `fit`, or a loop over `train_on_batch`."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from math import isfinite
from types import GeneratorType
from typing import Any

import keras
import numpy as np

from unstuck.record import custom
from unstuck.record.batches import BatchSample, row_count, unpack
from unstuck.record.callbacks import describe_callbacks
from unstuck.record.describe import custom_objects, describe_layers, describe_model, port_names
from unstuck.record.processes import spread
from unstuck.record.recorder import Recorder, environment
from unstuck.record.sample import MAX_BYTES, parts, sample_arrays
from unstuck.record.sites import Site
from unstuck.record.snapshots import Snapshots, variable_values
from unstuck.record.surroundings import record_surroundings
from unstuck.record.tap import Call
from unstuck.record.unaverage import RunningMean, counted_by
from unstuck.record.wiring import side_layers

MIN_WAITING, MAX_WAITING = 8, 64
"""Steps whose loss may still be on its way from the device: more where their batches, held so long, are small."""
MAX_WAITING_BYTES = 16 * 2**20
DRAIN_SECONDS = 0.02
"""Losses are read so often: one by one they would cost a small step half as much again as all else we do in it."""
FIRST_FLUSH_SECONDS = 5.0
"""A stream's sample is written this long after training began, and again each time twice as much time has passed."""
_PLAIN = (int, float, str, bool, type(None))
_ON_JAX = keras.backend.backend() == "jax"


class Training:
    """Writes what happens in one training. Nothing here changes it."""

    def __init__(self, recorder: Recorder, model: Any, non_finite: Callable[[], None] | None = None) -> None:
        self.recorder, self.model = recorder, model
        self._on_non_finite = non_finite
        self.number = recorder.fits
        recorder.fits += 1
        self.epoch, self.steps = 0, 0
        self._steps_in_epoch = 0
        self.streams: dict[str, BatchSample] = {}
        self._mean = RunningMean()
        self._averaged = ""
        self._called: list[tuple[Any, Sequence[Any] | None]] = []
        self._waiting: deque[tuple[int, Any, int, Sequence[Any] | None]] = deque()
        self._may_wait, self._per_call, self._drained = 0, 1, 0.0
        self._snapshots = Snapshots(recorder.writer, f"fit-{self.number}-weights-")
        self._finite = True
        self.started = time.time()
        self._flushed = time.monotonic()
        self._flush_after = FIRST_FLUSH_SECONDS
        self._sampling: set[str] = set()

    # What is known when it begins.

    def begin(self, found: dict[str, Any], held: tuple[Any, Any, Any], site: Site | None, *, loop: bool) -> None:
        """Describe the training; what cannot be read as arrays is observed as it flows.

        Args:
            found: the arguments of fit as it uses them.
            held: x, y and weights of the validation data.
            site: of the call.
            loop: whether it is a loop of the person's over `train_on_batch`.
        """
        recorder, model = self.recorder, self.model
        names = port_names(model)
        train, arrays = sample_arrays(
            "train",
            *(found.get(k) for k in ("x", "y", "sample_weight")),
            values=recorder.samples,
            names=names,
        )
        validation, more = sample_arrays("held", *held, values=recorder.samples, names=names)
        if not train["recorded"]:
            self.streams["train"] = BatchSample("train", train["kind"], names, found.get("steps_per_epoch"))
        if not validation["recorded"] and held[0] is not None:
            self.streams["held"] = BatchSample("held", validation["kind"], names, found.get("validation_steps"))
        continued = bool(found.get("steps_per_epoch")) and int(found.get("epochs") or 1) > 1
        self._sampling = set(self.streams)
        self._endless = {"train": _endless(found.get("x"), continued), "held": _endless(held[0], continued)}
        adapter = getattr(found.get("epoch_iterator"), "data_adapter", None)
        self._batch_size = int(found.get("batch_size") or getattr(adapter, "batch_size", None) or 32)
        self._rows = int(train.get("rows") or 0)
        self._class_weighted = bool(found.get("class_weight"))
        description = describe_model(model, recorder.site_of, recorder.made_with)
        self._averaged = "nothing" if loop else "" if description["custom_train_step"] else "rows"
        recorder.writer.event(
            "fit",
            {
                "site": site,
                "compile_site": recorder.compile_site_of(model),
                "model": description,
                "model_id": id(model),
                "backend": keras.backend.backend(),
                "environment": environment(),
                "arguments": {k: v for k, v in found.items() if isinstance(v, _PLAIN) and k != "self"},
                "loop": loop,
                "batch_size": self._batch_size,
                "epochs": int(found.get("epochs") or 1),
                "shuffle": bool(found.get("shuffle", True)),
                "class_weight": {str(k): v for k, v in (found.get("class_weight") or {}).items()} or None,
                "callbacks": [type(c).__name__ for c in _listed(found.get("callbacks"))],
                "callback_settings": describe_callbacks(_listed(found.get("callbacks"))),
                "class_weight_keys": [type(k).__name__ for k in found.get("class_weight") or {}],
                "side_layers": describe_layers(side_layers(model, recorder.layers()), recorder.site_of),
                "validation_split": found.get("validation_split") or 0.0,
                "train": train,
                "held": validation,
                "floatx": keras.config.floatx(),
                "seed_was_set": keras.src.utils.rng_utils.get_random_seed() is not None,
            },
            fit=self.number,
        )
        if arrays or more:
            recorder.writer.arrays(f"fit-{self.number}-data", {**arrays, **more})
        recorder.guard(
            lambda: record_surroundings(recorder, self.number, found.get("x"), self._rows), "variables of the script"
        )
        over = recorder.guard(lambda: spread(model), "distribution")
        if over:
            text = (
                f"training ran {over}; it was recorded once, from the first process, and is tried again on one device"
            )
            recorder.writer.event("note", {"text": text})
        objects = custom_objects(model, recorder.made_with)
        if objects and not custom.save(recorder.folder, f"custom-{self.number}", objects):
            recorder.writer.event("note", {"text": "custom objects could not be pickled: " + ", ".join(objects)})
        self._described = len(model.variables) if model.built else -1
        if model.built:
            self._snapshots.take(0, lambda: variable_values(model), edge=True)
        recorder.writer.commit()

    # What happens in every step.

    def stepped(self, call: Call) -> None:
        """Take in one call of the train function, which may have made several steps.

        What can wait is left to `_drain`: done for many calls at a time, it takes half as long.
        """
        called = self._called
        called.append((call.logs, call.batches))
        if self._sampling:
            for batch in call.batches or ():
                self.pass_by("train", batch)
        if not self._may_wait:
            self._first_step(call)
        if (
            len(called) + len(self._waiting) > self._may_wait
            or time.monotonic() - self._drained > DRAIN_SECONDS
            or self.steps + len(called) * self._per_call >= self._snapshots.next
        ):
            self._drain(everything=False)
            if self._snapshots.due(self.steps):
                self._snapshots.take(self.steps, lambda: variable_values(self.model, call.state))
        if self._sampling and time.monotonic() - self._flushed > self._flush_after:
            self._flushed = time.monotonic()
            self._flush_after *= 2
            self._flush("train", ended=False)

    def _first_step(self, call: Call) -> None:
        """What only a step shows: how the loss is averaged, how large batches are, the layers of an unbuilt model."""
        rows, count = self._size(call.batches)
        self._per_call = count
        if not self._averaged:
            self._averaged = counted_by(self.model, call.state[3] if call.state is not None else None, rows, count)
        size = sum(getattr(leaf, "nbytes", 0) for leaf in keras.tree.flatten(list(call.batches or ())))
        self._may_wait = min(MAX_WAITING, max(MIN_WAITING, MAX_WAITING_BYTES // max(1, size)))
        variables = len(self.model.variables)
        if variables != self._described:  # TensorFlow builds layers without an input shape in the first step
            if self._described >= 0:
                self._snapshots.forget(0)
            self._described = variables
            body = describe_model(self.model, self.recorder.site_of, self.recorder.made_with)
            self.recorder.writer.event("model", body, fit=self.number)

    def pass_by(self, role: str, batch: Any) -> None:
        """Take in a batch of the stream of this role, if it is one and its first pass is not over."""
        if role in self._sampling:
            x, y, weight = unpack(batch)
            # Keras has multiplied class weights into the weights; they are recorded by themselves.
            self.streams[role].add((x, y, None if self._class_weighted else weight))

    def passed(self, role: str) -> None:
        """The first pass over this role's data is over."""
        if role in self._sampling:
            self._sampling.remove(role)
            self._flush(role, ended=True)

    def _size(self, batches: Sequence[Any] | None) -> tuple[int, int]:
        """Rows and steps of a call."""
        if batches is None:
            return self._expected(int(getattr(self.model, "steps_per_execution", 1) or 1))
        rows = row_count(batches[0]) if len(batches) == 1 else sum(map(row_count, batches))
        return (rows, len(batches)) if rows else self._expected(len(batches))

    def _expected(self, steps: int) -> tuple[int, int]:
        """Rows and steps of a call whose batches cannot be seen; the last of an epoch may be short."""
        stream = self.streams.get("train")
        if stream is not None and stream.sizes:
            passed = stream.sizes[self._steps_in_epoch :][:steps] or stream.sizes[:1] * steps
            return sum(passed), len(passed)
        left = self._rows - self._steps_in_epoch * self._batch_size
        rows = min(steps * self._batch_size, left) if left > 0 else steps * self._batch_size
        return rows, -(-rows // self._batch_size)

    def _drain(self, *, everything: bool) -> None:
        """Write the losses that have arrived from the device.

        When too many are under way, half of them are waited for: to be woken after each step of a small model costs
        as much as a tenth of it.
        """
        waiting = self._waiting
        for logs, batches in self._called:
            rows, count = self._size(batches)
            self.steps += count
            self._steps_in_epoch += count
            loss = logs.get("loss", np.nan) if logs else np.nan
            waiting.append((self.steps, loss, rows if self._averaged == "rows" else count, batches))
        self._called.clear()
        overdue = len(waiting)
        if overdue and not everything and not _arrived(waiting[-1][1]):
            overdue = overdue // 2 if overdue > self._may_wait else 0
        if overdue:
            _number(waiting[overdue - 1][1])
        read: list[tuple[int, float]] = []
        while waiting and (overdue > len(read) or _arrived(waiting[0][1])):
            step, value, divisor, held = waiting.popleft()
            loss = _number(value)
            if self._averaged != "nothing":
                loss = self._mean.added(loss, divisor)
            read.append((step, loss))
            self._snapshots.saw(loss)
            if self._finite and not isfinite(loss):
                self._finite = False
                if self._on_non_finite is not None:
                    self._on_non_finite()
                self._keep_bad(step, loss, held)
        self.recorder.writer.steps(self.number, self.epoch, read)
        self._drained = time.monotonic()

    def _keep_bad(self, step: int, loss: float, batches: Sequence[Any] | None) -> None:
        """The first loss that is no number: keep the batch it came from."""
        body: dict[str, Any] = {"step": step, "epoch": self.epoch, "loss": repr(loss), "batch": False}
        if batches and self.recorder.samples:
            x, y, weight = (parts(part) for part in unpack(batches[-1]))
            arrays = {f"x{i}": a for i, a in enumerate(x or ())} | {f"y{i}": a for i, a in enumerate(y or ())}
            arrays |= {} if not weight else {"weight": weight[0]}
            if x and sum(a.nbytes for a in arrays.values()) <= MAX_BYTES:
                body["batch"] = True
                self.recorder.writer.arrays(f"fit-{self.number}-non-finite", arrays)
        self.recorder.writer.event("non-finite", body, fit=self.number)

    # Epochs and the end.

    def begin_epoch(self, epoch: int) -> None:
        self.epoch, self._steps_in_epoch = epoch, 0
        self._mean.reset()

    def end_epoch(self, epoch: int, logs: Any) -> None:
        self._drain(everything=True)
        values = {k: float(v) for k, v in (logs or {}).items() if np.ndim(v) == 0}
        body = {"epoch": epoch, "step": self.steps, "logs": values}
        self.recorder.writer.event("epoch", body, fit=self.number)
        self.passed("train")

    def _flush(self, role: str, *, ended: bool) -> None:
        """Write the sample of a stream as it is now."""
        if role not in self.streams:
            return
        endless = self._endless[role]
        body, arrays = self.streams[role].result(
            values=self.recorder.samples, ended=ended and not endless, endless=endless
        )
        self.recorder.writer.event("stream", {"role": role, "data": body}, fit=self.number)
        if arrays:
            self.recorder.writer.arrays(f"fit-{self.number}-{role}", arrays)

    def end(self, status: str, *, error: str = "") -> None:
        self._drain(everything=True)
        for role in tuple(self._sampling):
            self._flush(role, ended=False)
        self._sampling.clear()
        if status == "completed" or self.steps:
            self._snapshots.take(self.steps, lambda: variable_values(self.model), edge=True)
        body = {"status": status, "error": error, "steps": self.steps, "seconds": time.time() - self.started}
        self.recorder.writer.event("fit-end", body, fit=self.number)
        self.recorder.writer.commit()


def held_out(found: dict[str, Any]) -> tuple[Any, Any, Any]:
    """x, y and weights of the argument `validation_data`."""
    data = found.get("validation_data")
    if data is None:
        return None, None, None
    return unpack(data) if isinstance(data, (list, tuple)) else (data, None, None)


def _endless(source: Any, continued: bool) -> bool:  # noqa: FBT001
    """Whether a stream has no end, as far as it can be known without taking from it.

    Args:
        source: what fit was given.
        continued: whether a further epoch goes on where the one before stopped.
    """
    if isinstance(source, GeneratorType):
        return continued
    if isinstance(source, keras.utils.PyDataset):
        return source.num_batches is None
    cardinality = getattr(source, "cardinality", None)
    return callable(cardinality) and int(cardinality()) == -1  # tf.data.INFINITE_CARDINALITY


def _arrived(value: Any) -> bool:
    """Whether a value can be read without waiting for the device."""
    ready = getattr(value, "is_ready", None)
    if callable(ready):
        return bool(ready())
    return not getattr(value, "is_cuda", False)


def _number(value: Any) -> float:
    try:
        return float(np.asarray(value) if _ON_JAX else value)  # there float() of the value takes ten times as long
    except (TypeError, ValueError):
        return float(np.asarray(keras.ops.convert_to_numpy(value)))


def _listed(callbacks: Any) -> list[Any]:
    if callbacks is None:
        return []
    return list(getattr(callbacks, "callbacks", callbacks if isinstance(callbacks, (list, tuple)) else [callbacks]))
