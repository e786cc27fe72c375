"""Metric functions of the person's, on all rows at once and batch by batch, as Keras averages them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

MAX_ROWS = 1_024
"""Rows the functions are called on; with batches of 4 that are 256 calls, well under a second."""


def metric_values(
    settings: Mapping[str, Any] | None,
    objects: Mapping[str, Any],
    y: np.ndarray,
    outputs: np.ndarray,
    batch_size: int,
) -> dict[str, dict[str, float]]:
    """For each compiled metric that is a function among `objects`: its value on all rows, and averaged over batches.

    A function that Keras cannot call on these rows is left out.
    """
    import keras

    def value(function: Any, rows: slice) -> float:
        answer = function(keras.ops.convert_to_tensor(y[rows]), keras.ops.convert_to_tensor(outputs[rows]))
        return float(np.mean(keras.ops.convert_to_numpy(answer)))

    y, outputs = y[:MAX_ROWS], outputs[:MAX_ROWS]
    found = {}
    for name in _functions(settings):
        function = objects.get(name)
        if not callable(function) or isinstance(function, type):
            continue
        starts = range(0, len(y), batch_size)
        try:
            parts = [value(function, slice(start, start + batch_size)) for start in starts]
            sizes = [len(y[start : start + batch_size]) for start in starts]
            found[name] = {"whole": value(function, slice(None)), "batched": float(np.average(parts, weights=sizes))}
        except Exception:
            continue
    return found


def _functions(settings: Mapping[str, Any] | None) -> list[str]:
    """Names of the functions among the compiled metrics."""
    inner = (settings or {}).get("config") if "class_name" in (settings or {}) else settings
    names = []
    waiting = [(inner or {}).get("metrics"), (inner or {}).get("weighted_metrics")]
    while waiting:
        entry = waiting.pop()
        if isinstance(entry, Mapping) and entry.get("class_name") == "function":
            names.append(str(entry["config"]))
        elif isinstance(entry, Mapping):
            waiting += list(entry.values())
        elif isinstance(entry, (list, tuple)):
            waiting += list(entry)
    return names
