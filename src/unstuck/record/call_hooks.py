"""What else is called on a model: load_weights and predict, as facts about what was trained and what is read from it.

A loaded file is judged by what it changed: the checksum of every variable before and after. Of the rows handed to
predict only a description is kept, and only of the first calls, so that a loop over single rows costs nothing.
"""

from __future__ import annotations

import zlib
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from unstuck.record.recorder import Recorder, wrapped
from unstuck.record.sample import sample_arrays

MAX_PREDICTIONS = 20
"""Calls of predict that are described; programs that predict in a loop do it with rows of one kind."""
DESCRIBED_ROWS = 1_000


def install(recorder: Recorder, model_class: Any) -> None:
    _hook_load(model_class, recorder)
    _hook_predict(model_class, recorder)


def _hook_load(model_class: Any, recorder: Recorder) -> None:
    original = model_class.load_weights

    def load_weights(self: Any, *args: Any, **kwargs: Any) -> Any:
        before = recorder.guard(lambda: _checksums(self), "load_weights")
        result = original(self, *args, **kwargs)
        recorder.guard(lambda: _loaded(recorder, self, before or [], kwargs), "load_weights")
        return result

    model_class.load_weights = wrapped(original, load_weights)


def _loaded(recorder: Recorder, model: Any, before: list[dict[str, Any]], settings: dict[str, Any]) -> None:
    after = _checksums(model)
    kept = [old["sum"] == new["sum"] for old, new in zip(before, after, strict=False)]
    recorder.writer.event(
        "load-weights",
        {
            "site": recorder.site(depth=5),
            "model_id": id(model),
            "model": model.name,
            "settings": {k: v for k, v in settings.items() if isinstance(v, (bool, str))},
            "variables": [
                {"path": new["path"], "size": new["size"], "constant": new["constant"], "kept": same}
                for new, same in zip(after, kept, strict=False)
            ],
        },
    )


def _checksums(model: Any) -> list[dict[str, Any]]:
    import keras

    found = []
    for variable in model.variables:
        value = np.ascontiguousarray(keras.ops.convert_to_numpy(variable))
        constant = bool(value.size == 0 or (value == value.flat[0]).all())
        found.append(
            {"path": variable.path, "size": value.size, "constant": constant, "sum": zlib.crc32(value.tobytes())}
        )
    return found


def _hook_predict(model_class: Any, recorder: Recorder) -> None:
    original = model_class.predict
    described: Counter[Path] = Counter()

    def predict(self: Any, *args: Any, **kwargs: Any) -> Any:
        if recorder.depth == 0 and described[recorder.folder] < MAX_PREDICTIONS:
            described[recorder.folder] += 1
            recorder.guard(lambda: _predicting(recorder, self, args, kwargs), "predict")
        return original(self, *args, **kwargs)

    model_class.predict = wrapped(original, predict)


def _predicting(recorder: Recorder, model: Any, args: Any, kwargs: Any) -> None:
    x = args[0] if args else kwargs.get("x")
    few = x[:DESCRIBED_ROWS] if isinstance(x, np.ndarray) else x
    described, _ = sample_arrays("predict", few, None, None, values=False)
    recorder.writer.event(
        "predict",
        {
            "site": recorder.site(depth=5),
            "model_id": id(model),
            "data": described,
            "shuffled": bool(getattr(x, "shuffle", False) is True),
        },
    )
