"""Where the first loss that was no number came from: cells of the batch, the layer, the rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

MAX_CELLS = 20


def locate(
    steps: Sequence[int],
    snapshots: Sequence[Sequence[np.ndarray]],
    bad_step: int,
    batch: dict[str, np.ndarray],
    look: Callable[[Sequence[np.ndarray], tuple[np.ndarray, ...]], tuple[list[dict[str, Any]], np.ndarray]],
) -> dict[str, Any]:
    """Cells of the batch that are no numbers, and what the weights before that step made of it.

    Args:
        steps, snapshots: the kept weights.
        bad_step: the step whose loss was the first that is no number.
        batch: `x0`, ..., `y0`, ... of that step.
        look: from weights and inputs to the layers' states and the outputs.

    Returns:
        `cells`: [name, row, column of the flattened row], at most 20; `layer`: the first layer whose output is not
        finite, "" when all are with these weights; `rows`: rows with such an output; `weights_step`.
    """
    found: dict[str, Any] = {"step": bad_step, "cells": _cells(batch), "layer": "", "rows": [], "weights_step": None}
    before = [
        (step, values)
        for step, values in zip(steps, snapshots, strict=True)
        if step < bad_step and all(np.isfinite(v).all() for v in values if v.dtype.kind == "f")
    ]
    if before:
        found["weights_step"], values = before[-1]
        states, outputs = look(values, tuple(batch[name] for name in sorted(batch) if name.startswith("x")))
        found["layer"] = next((state["name"] for state in states if not state["finite"]), "")
        bad_rows = np.flatnonzero(~np.isfinite(outputs.reshape(len(outputs), -1)).all(axis=1))
        found["rows"] = bad_rows[:MAX_CELLS].tolist()
    return found


def _cells(batch: dict[str, np.ndarray]) -> list[list[Any]]:
    cells: list[list[Any]] = []
    for name, array in sorted(batch.items()):
        if array.dtype.kind == "f" and array.ndim:
            places = np.argwhere(~np.isfinite(array.reshape(len(array), -1)))
            cells += [[name, int(row), int(column)] for row, column in places[:MAX_CELLS]]
    return cells[:MAX_CELLS]
