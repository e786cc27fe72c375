"""What is watched in Keras: where layers are built and compile is called, fit, train_on_batch and evaluate."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from functools import partial
from typing import Any

from unstuck.record import call_hooks
from unstuck.record.describe import port_names
from unstuck.record.recorder import Recorder, wrapped
from unstuck.record.sample import parts, sample_arrays


def install(recorder: Recorder) -> None:
    """Hook the imported keras. Idempotent; older hooks are left alone."""
    from keras.src.layers.layer import Layer
    from keras.src.models.model import Model
    from keras.src.models.sequential import Sequential
    from keras.src.trainers.trainer import Trainer

    if not getattr(Layer.__new__, "__unstuck__", False):
        _hook_layers(Layer, (Model, Sequential), recorder)
        _hook_compile(Trainer, recorder)
        _hook_fit(Model, recorder)
        _hook_evaluate(Model, recorder)
        _hook_train_on_batch(Model, recorder)
        call_hooks.install(recorder, Model)


def _hook_layers(layer_class: Any, model_classes: Sequence[Any], recorder: Recorder) -> None:
    original = layer_class.__new__

    def __new__(cls: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N807
        layer = original(cls, *args, **kwargs)
        recorder.guard(lambda: recorder.remember_layer(layer, recorder.site(depth=4)), "layer")
        recorder.guard(lambda: recorder.remember_made(layer, (args, kwargs)), "layer")
        return layer

    def new_model(original: Any, cls: Any, *args: Any, **kwargs: Any) -> Any:  # Keras's hand their arguments to nobody
        model = original(cls, *args, **kwargs)
        recorder.guard(lambda: recorder.remember_made(model, (args, kwargs)), "layer")
        return model

    layer_class.__new__ = staticmethod(wrapped(original, __new__))
    for model_class in model_classes:
        before = model_class.__new__
        model_class.__new__ = staticmethod(wrapped(before, partial(new_model, before)))


def _hook_compile(trainer_class: Any, recorder: Recorder) -> None:
    original = trainer_class.compile

    def compile(self: Any, *args: Any, **kwargs: Any) -> Any:
        recorder.guard(lambda: _compiled(recorder, self), "compile")
        return original(self, *args, **kwargs)

    trainer_class.compile = wrapped(original, compile)


def _compiled(recorder: Recorder, model: Any) -> None:
    site = recorder.site(depth=4)
    recorder.remember_compile(model, site)
    recorder.writer.event("compile", {"site": site, "model_id": id(model)})


def _hook_fit(model_class: Any, recorder: Recorder) -> None:
    original = model_class.fit
    signature = inspect.signature(original)

    def fit(self: Any, *args: Any, **kwargs: Any) -> Any:
        if recorder.depth:
            return original(self, *args, **kwargs)
        watch = recorder.guard(lambda: _watch(recorder, signature, self, args, kwargs), "fit")
        recorder.depth += 1  # also for a fit that is not watched: its validation is no evaluate of the person's
        try:
            return original(self, *args, **kwargs) if watch is None else original(self, **watch[1])
        except BaseException as error:
            if watch is not None:
                recorder.guard(partial(watch[0].refused, self, error), "fit raised")
            raise
        finally:
            recorder.depth -= 1

    model_class.fit = wrapped(original, fit)


def _watch(recorder: Recorder, signature: inspect.Signature, model: Any, args: Any, kwargs: Any) -> Any:
    from unstuck.record.watch import FitRecorder

    arguments = _named(signature, model, args, kwargs)
    loop = recorder.loops.pop(id(model), None)
    if loop is not None:
        loop.end()
    callback = FitRecorder(recorder, recorder.site(depth=5), arguments)
    if not _add_callback(arguments, callback):
        return None
    return callback, arguments


def _hook_evaluate(model_class: Any, recorder: Recorder) -> None:
    original = model_class.evaluate
    signature = inspect.signature(original)

    def evaluate(self: Any, *args: Any, **kwargs: Any) -> Any:
        if recorder.depth:
            return original(self, *args, **kwargs)
        given, stream = recorder.guard(lambda: _observed(recorder, signature, self, args, kwargs), "evaluate") or (
            {},
            None,
        )
        recorder.depth += 1
        try:
            result = original(self, *args, **kwargs) if stream is None else original(self, **given)
        finally:
            recorder.depth -= 1
        recorder.guard(lambda: _record_evaluate(recorder, self, given, stream, result), "evaluate")
        return result

    model_class.evaluate = wrapped(original, evaluate)


def _observed(recorder: Recorder, signature: inspect.Signature, model: Any, args: Any, kwargs: Any) -> Any:
    """The arguments of evaluate by name, and for a stream the callback that observes it, added to them."""
    from unstuck.record.watch import EvaluateRecorder

    given = _named(signature, model, args, kwargs)
    if given.get("x") is None or parts(given["x"]) is not None:
        return given, None
    callback = EvaluateRecorder(recorder, type(given["x"]).__name__)
    return (given, callback) if _add_callback(given, callback) else (given, None)


def _named(signature: inspect.Signature, model: Any, args: Any, kwargs: Any) -> dict[str, Any]:
    bound = signature.bind(model, *args, **kwargs).arguments
    named = {k: v for k, v in bound.items() if k != "self"}
    named.update(named.pop("kwargs", {}))
    return named


def _add_callback(arguments: dict[str, Any], callback: Any) -> bool:
    """Add ours to the callbacks of a call; False if one of its kind is there already."""
    given: Any = arguments.get("callbacks")
    if hasattr(given, "append") and hasattr(given, "on_epoch_end"):
        given.append(callback)
        return True
    listed = [] if given is None else list(given) if isinstance(given, (list, tuple)) else [given]
    if any(isinstance(c, type(callback)) for c in listed):
        return False
    arguments["callbacks"] = [*listed, callback]
    return True


def _record_evaluate(recorder: Recorder, model: Any, given: dict[str, Any], stream: Any, result: Any) -> None:
    if stream is not None:
        described, arrays = stream.result()
    else:
        described, arrays = sample_arrays(
            "held",
            *(given.get(name) for name in ("x", "y", "sample_weight")),
            values=recorder.samples,
            names=port_names(model),
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


def _hook_train_on_batch(model_class: Any, recorder: Recorder) -> None:
    original = model_class.train_on_batch
    signature = inspect.signature(original)

    def train_on_batch(self: Any, *args: Any, **kwargs: Any) -> Any:
        if recorder.depth:
            return original(self, *args, **kwargs)
        loop = recorder.guard(lambda: _loop(recorder, signature, self, args, kwargs), "train_on_batch")
        recorder.depth += 1
        try:
            result = original(self, *args, **kwargs)
        except BaseException as error:
            if loop is not None:
                recorder.guard(partial(loop[0].refused, error), "train_on_batch raised")
            raise
        finally:
            recorder.depth -= 1
        if loop is not None:
            recorder.guard(lambda: loop[0].stepped(loop[1], result), "train_on_batch")
        return result

    model_class.train_on_batch = wrapped(original, train_on_batch)


def _loop(recorder: Recorder, signature: inspect.Signature, model: Any, args: Any, kwargs: Any) -> Any:
    from unstuck.record.loop import LoopRecorder

    if not recorder.chosen:
        return None
    given = _named(signature, model, args, kwargs)
    loop = recorder.loops.get(id(model))
    if loop is None or loop.model is not model:
        loop = recorder.loops[id(model)] = LoopRecorder(recorder, model, given, recorder.site(depth=5))
    return loop, given
