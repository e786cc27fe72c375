"""What is watched in Keras: where layers are built, compile and fit are called, and what evaluate is given."""

from __future__ import annotations

import inspect
from functools import partial
from typing import Any

from unstuck.record.recorder import Recorder, wrapped
from unstuck.record.sample import sample_arrays


def install(recorder: Recorder) -> None:
    """Hook the imported keras. Idempotent; older hooks are left alone."""
    from keras.src.layers.layer import Layer
    from keras.src.models.model import Model
    from keras.src.trainers.trainer import Trainer

    if not getattr(Layer.__new__, "__unstuck__", False):
        _hook_layers(Layer, recorder)
        _hook_compile(Trainer, recorder)
        _hook_fit(Model, recorder)
        _hook_evaluate(Model, recorder)


def _hook_layers(layer_class: Any, recorder: Recorder) -> None:
    original = layer_class.__new__

    def __new__(cls: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N807
        layer = original(cls, *args, **kwargs)
        recorder.guard(lambda: recorder.remember_layer(layer, recorder.site(depth=4)), "layer")
        return layer

    layer_class.__new__ = staticmethod(wrapped(original, __new__))


def _hook_compile(trainer_class: Any, recorder: Recorder) -> None:
    original = trainer_class.compile

    def compile(self: Any, *args: Any, **kwargs: Any) -> Any:
        recorder.guard(lambda: recorder.remember_compile(self, recorder.site(depth=4)), "compile")
        return original(self, *args, **kwargs)

    trainer_class.compile = wrapped(original, compile)


def _hook_fit(model_class: Any, recorder: Recorder) -> None:
    original = model_class.fit
    signature = inspect.signature(original)

    def fit(self: Any, *args: Any, **kwargs: Any) -> Any:
        watch = None
        if recorder.depth == 0:
            watch = recorder.guard(lambda: _watch(recorder, signature, self, args, kwargs), "fit")
        if watch is None:
            return original(self, *args, **kwargs)
        callback, arguments = watch
        recorder.depth += 1
        try:
            return original(self, **arguments)
        except BaseException as error:
            recorder.guard(partial(callback.refused, self, error), "fit raised")
            raise
        finally:
            recorder.depth -= 1

    model_class.fit = wrapped(original, fit)


def _watch(recorder: Recorder, signature: inspect.Signature, model: Any, args: Any, kwargs: Any) -> Any:
    from unstuck.record.watch import FitRecorder

    bound = signature.bind(model, *args, **kwargs).arguments
    arguments = {k: v for k, v in bound.items() if k != "self"}
    arguments.update(arguments.pop("kwargs", {}))
    callback = FitRecorder(recorder, recorder.site(depth=5), arguments)
    given: Any = arguments.get("callbacks")
    if hasattr(given, "append") and hasattr(given, "on_epoch_end"):
        given.append(callback)
    else:
        listed = [] if given is None else list(given) if isinstance(given, (list, tuple)) else [given]
        if any(isinstance(c, FitRecorder) for c in listed):
            return None
        arguments["callbacks"] = [*listed, callback]
    return callback, arguments


def _hook_evaluate(model_class: Any, recorder: Recorder) -> None:
    original = model_class.evaluate

    def evaluate(self: Any, *args: Any, **kwargs: Any) -> Any:
        outer = recorder.depth == 0
        recorder.depth += 1
        try:
            result = original(self, *args, **kwargs)
        finally:
            recorder.depth -= 1
        if outer:
            recorder.guard(lambda: _record_evaluate(recorder, self, args, kwargs, result), "evaluate")
        return result

    model_class.evaluate = wrapped(original, evaluate)


def _record_evaluate(recorder: Recorder, model: Any, args: Any, kwargs: Any, result: Any) -> None:
    given = dict(zip(("x", "y"), args, strict=False)) | kwargs
    described, arrays = sample_arrays(
        "held", given.get("x"), given.get("y"), given.get("sample_weight"), values=recorder.samples
    )
    number = recorder.writer.event(
        "evaluate",
        {
            "site": recorder.site(depth=4),
            "data": described,
            "model_id": id(model),
            "result": result if isinstance(result, (int, float, dict, list)) else str(result),
        },
    )
    if arrays:
        recorder.writer.arrays(f"evaluate-{number}", arrays)
