"""The loss of each batch, from the running mean over the epoch that Keras reports."""

from __future__ import annotations

from math import isfinite
from typing import Any

import numpy as np


class RunningMean:
    """Undoes Keras's running mean: what the mean rose by, times what it is over, is what was added.

    >>> mean = RunningMean()
    >>> mean.added(2.0, 10), mean.added(3.0, 10)
    (2.0, 4.0)
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._total, self._count = 0.0, 0

    def added(self, mean: float, count: int) -> float:
        """The value that `count` further rows had, now that the mean over all is `mean`."""
        total = mean * (self._count + count)
        value = (total - self._total) / count if isfinite(self._total) else mean
        self._total, self._count = total, self._count + count
        return value


def counted_by(model: Any, metric_values: Any, rows: int, batches: int) -> str:
    """What the reported loss is averaged over, seen from the metric's own count after the first step.

    Args:
        metric_values: values of `model.metrics_variables` where these are not in the variables (JAX), else None.
        rows: rows of the first step.
        batches: batches of the first step.

    Returns:
        `rows`, `batches`, or `nothing` when the loss in the logs is not kept in a metric: a custom `train_step` that
        returns the loss of its batch.
    """
    import keras

    values = dict(zip(map(id, model.metrics_variables), metric_values, strict=True)) if metric_values else {}
    for metric in model.metrics:
        count = getattr(metric, "count", None)
        if metric.name == "loss" and count is not None:
            seen = float(np.asarray(keras.ops.convert_to_numpy(values.get(id(count), count))))
            if seen in (rows, batches):
                return "rows" if seen == rows else "batches"
    return "nothing"
