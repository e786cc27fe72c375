"""The Keras callback that records one fit.

It reads the arrays from the frame of the running `fit`, where `validation_split` has already been applied and where
nothing is consumed: on every backend the trainer's `fit` holds them as local variables. Steps are seen by `Tap`.
"""

from __future__ import annotations

import functools
import sys
from types import FrameType
from typing import Any

import keras
import numpy as np

from unstuck.record.batches import BatchSample
from unstuck.record.recorder import Recorder
from unstuck.record.sites import Site
from unstuck.record.tap import Call, Tap, teed
from unstuck.record.training import Training, held_out


class FitRecorder(keras.callbacks.Callback):
    """Records one call of `fit` into the run folder of `recorder`. Changes nothing in the training."""

    def __init__(self, recorder: Recorder, site: Site | None = None, arguments: dict[str, Any] | None = None) -> None:
        super().__init__()
        self._recorder = recorder
        self._site = site
        self._arguments = arguments or {}
        self._training: Training | None = None
        self._began = False
        self._flow = Flow(recorder)

    # Keras calls these; each is guarded.

    def on_train_begin(self, logs: Any = None) -> None:
        frame = running("fit", self.model)
        self._recorder.guard(lambda: self._begin(frame), "fit begin")

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if self._training is not None:
            self._recorder.guard(lambda: self._training.begin_epoch(epoch), "epoch begin")  # type: ignore[union-attr]

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._recorder.guard(lambda: self._end_epoch(epoch, logs), "epoch end")

    def on_test_begin(self, logs: Any = None) -> None:
        frame = running("evaluate", self.model)
        self._recorder.guard(lambda: self._validate(frame), "validation begin")

    def on_test_end(self, logs: Any = None) -> None:
        self._recorder.guard(self._validated, "validation end")

    def on_train_end(self, logs: Any = None) -> None:
        self._recorder.guard(lambda: self._end("completed"), "fit end")

    # What they do.

    def refused(self, model: Any, error: BaseException) -> None:
        """The fit ended with `error`; record what was handed to it if training never began."""
        if not self._began and self._recorder.chosen:
            self._training = Training(self._recorder, model)
            self._training.begin(self._arguments, held_out(self._arguments), self._site, loop=False)
        status = "interrupted" if isinstance(error, KeyboardInterrupt) else "raised"
        self._end(status, error=f"{type(error).__name__}: {str(error)[:2000]}")

    def non_finite(self) -> None:
        """The loss is no number any more: told once, when losses are next read or at the end of the epoch."""

    def _begin(self, frame: FrameType | None) -> None:
        self._began = True
        if not self._recorder.chosen:
            return
        found = dict(frame.f_locals) if frame is not None else dict(self._arguments)
        held = (found.get("val_x"), found.get("val_y"), found.get("val_sample_weight"))
        if held[0] is None:
            held = held_out(found)
        if self._site is None:
            self._site = self._recorder.site(depth=4)
        training = Training(self._recorder, self.model, self.non_finite)
        training.begin(found, held, self._site, loop=False)
        self._training = training
        self._flow.start("train", self.model, found.get("epoch_iterator"), training.stepped, training)

    def _validate(self, frame: FrameType | None) -> None:
        training = self._training
        if training is not None and frame is not None and "held" in training.streams:
            iterator = frame.f_locals.get("epoch_iterator")
            self._flow.start("held", self.model, iterator, _passing_by(training), training)

    def _validated(self) -> None:
        self._flow.stop("held")
        if self._training is not None:
            self._training.passed("held")

    def _end_epoch(self, epoch: int, logs: Any) -> None:
        if self._training is not None:
            self._training.end_epoch(epoch, logs)
            self._flow.untee()

    def _end(self, status: str, *, error: str = "") -> None:
        self._flow.stop("train")
        self._flow.stop("held")
        training, self._training = self._training, None
        if training is not None:
            training.end(status, error=error)


class Flow:
    """Where batches pass: the step functions of the model, and on TensorFlow the data sets they read in the graph."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._taps: dict[str, Tap] = {}
        self._teed: list[tuple[Any, Any, Any]] = []

    def start(self, role: str, model: Any, iterator: Any, seen: Any, sink: Any) -> None:
        """Watch `train` or `held` batches.

        Args:
            role: which.
            model: whose step function to tap.
            iterator: the epoch iterator of the running fit or evaluate.
            seen: called with each `Call` of the step function.
            sink: has `streams` and `pass_by(role, batch)`.
        """
        name = "train_function" if role == "train" else "test_function"
        self.stop(role)
        guard = self._recorder.guard
        self._taps[role] = Tap(model, name, functools.partial(guard, seen, f"{role} step"))
        read = getattr(iterator, "_distributed_dataset", None)
        dataset, strategy = _dataset(iterator, read)
        if role in sink.streams and dataset is not None:
            passed = teed(dataset, lambda batch: guard(lambda: sink.pass_by(role, batch), f"{role} batch"))
            passed = passed if strategy is None else strategy.experimental_distribute_dataset(passed)
            iterator._distributed_dataset = passed
            self._teed.append((iterator, read, passed))

    def untee(self) -> None:
        """Let TensorFlow's data sets be; later epochs read the original."""
        for iterator, original, passed in self._teed:
            if iterator._distributed_dataset is passed:
                iterator._distributed_dataset = original
        self._teed = []

    def stop(self, role: str) -> None:
        tap = self._taps.pop(role, None)
        if tap is not None:
            tap.remove()


def _passing_by(sink: Any) -> Any:
    def seen(call: Call) -> None:
        for batch in call.batches or ():
            sink.pass_by("held", batch)

    return seen


class EvaluateRecorder(keras.callbacks.Callback):
    """Samples the stream that a call of `evaluate` reads, as it flows."""

    def __init__(self, recorder: Recorder, kind: str) -> None:
        super().__init__()
        self._recorder = recorder
        self._flow = Flow(recorder)
        self.streams = {"held": BatchSample("held", kind)}

    def pass_by(self, role: str, batch: Any) -> None:
        self.streams[role].add(batch)

    def on_test_begin(self, logs: Any = None) -> None:
        frame = running("evaluate", self.model)
        self._recorder.guard(lambda: self._begin(frame), "evaluate begin")

    def on_test_end(self, logs: Any = None) -> None:
        self._recorder.guard(lambda: self._flow.stop("held"), "evaluate end")

    def _begin(self, frame: FrameType | None) -> None:
        iterator = frame.f_locals.get("epoch_iterator") if frame is not None else None
        self._flow.start("held", self.model, iterator, _passing_by(self), self)

    def result(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        return self.streams["held"].result(values=self._recorder.samples, ended=True, endless=False)


def _dataset(iterator: Any, read: Any) -> tuple[Any, Any]:
    """The tf.data set that an epoch iterator reads, and the strategy that spreads it over devices, if one does."""
    tensorflow = sys.modules.get("tensorflow")
    if tensorflow is None or read is None:
        return None, None
    if isinstance(read, tensorflow.data.Dataset):
        return read, None
    given = getattr(iterator.data_adapter, "_dataset", None)
    return (given, iterator._distribute_strategy) if isinstance(given, tensorflow.data.Dataset) else (None, None)


def running(name: str, model: Any) -> FrameType | None:
    """The frame of the trainer's `fit` or `evaluate` of this model that is running now."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_name == name and "epoch_iterator" in frame.f_code.co_varnames:
            return frame if frame.f_locals.get("self") is model else None
        frame = frame.f_back
    return None
