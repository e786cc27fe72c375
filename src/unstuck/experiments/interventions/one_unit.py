"""The head that belongs where one unit was given a loss or an activation for several."""

from __future__ import annotations

from unstuck.experiments.interventions.head import ReplaceHead
from unstuck.measure.data import Data
from unstuck.measure.setup import BINARY, CATEGORICAL, SPARSE, Setup
from unstuck.measure.task import Task


def head_for_one_unit(setup: Setup, task: Task | None, data: Data | None = None) -> ReplaceHead:
    """Sigmoid for two classes, softmax over all of them for more, a linear output for numbers."""
    entropy = setup.loss.name in BINARY | CATEGORICAL | SPARSE
    kind = task.kind if task else "binary" if entropy else "regression"
    if kind == "regression":
        return ReplaceHead("linear", "mean_squared_error" if entropy else "")
    columns = data.y.shape[-1] if data is not None and data.y.ndim > 1 else 1
    if task and (kind == "multiclass" or columns > 1):
        if columns > 1:
            loss = "binary_crossentropy" if kind == "multilabel" else "categorical_crossentropy"
            return ReplaceHead("sigmoid" if kind == "multilabel" else "softmax", loss, units=columns)
        return ReplaceHead("softmax", "sparse_categorical_crossentropy", units=task.classes)
    return ReplaceHead("sigmoid", "binary_crossentropy" if entropy else "")
