"""When the weights of a training are kept: often at the start and when the loss does something new, sparsely later."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from math import isfinite, isnan
from typing import Any

import numpy as np

from unstuck.record.store import Writer

OVERHEAD = 0.02
"""Share of the training time that snapshots may take."""
GRACE_SECONDS = 0.1
"""Taken in any case: a run of a few seconds is judged from its snapshots too."""
MAX_BYTES = 24 * 2**20
"""Snapshots between the first and the last one; beyond it every other one is dropped."""
MAX_MODEL_BYTES = 256 * 2**20
"""Weights of larger models are not kept at all: writing them would take seconds."""
NEWS = 2.0
"""The loss does something new when it is this many times above or below what it was at the last snapshot."""
MIN_STEPS_BETWEEN = 20
SMOOTHING = 0.1
"""Weight of the newest step in the smoothed loss."""


class Snapshots:
    """Decides and keeps the snapshots of one training.

    Args:
        writer: of the run folder.
        prefix: of the names of the files, `fit-0-weights-`.
    """

    def __init__(self, writer: Writer, prefix: str) -> None:
        self._writer, self._prefix = writer, prefix
        self._began = time.perf_counter()
        self._spent = self._last_cost = 0.0
        self._wanted = self.next = 1
        """The step after which one is wanted if the loss does nothing new before; the step at which to ask for it."""
        self._between: list[tuple[int, int]] = []
        self._smooth = self._at_last = float("nan")
        self._last_step = 0
        self.too_large = False

    def saw(self, loss: float) -> None:
        """Take in the loss of a step."""
        if isfinite(loss):
            self._smooth = loss if isnan(self._smooth) else self._smooth + SMOOTHING * (loss - self._smooth)

    def due(self, step: int) -> bool:
        """Whether a snapshot after `step` steps is wanted and affordable."""
        while self.next <= step:  # one that must wait for its time is asked for whenever losses are read
            self.next *= 2
        if self.too_large or (step < self._wanted and not self._news(step)):
            return False
        elapsed = time.perf_counter() - self._began
        return self._spent + self._last_cost <= OVERHEAD * elapsed + GRACE_SECONDS

    def _news(self, step: int) -> bool:
        if step - self._last_step < MIN_STEPS_BETWEEN:
            return False
        now, then = abs(self._smooth), abs(self._at_last)
        return now > NEWS * then or now * NEWS < then

    def take(self, step: int, values: Callable[[], Sequence[np.ndarray]], *, edge: bool = False) -> None:
        """Keep the variables; `edge`: the first or the last snapshot, which is never dropped."""
        began = time.perf_counter()
        arrays = values()
        size = sum(v.nbytes for v in arrays)
        self.too_large = size > MAX_MODEL_BYTES
        if self.too_large:
            self._writer.event("note", {"text": f"weights were not kept: they are {size >> 20} MB"})
            return
        if edge or size <= MAX_BYTES:
            self._writer.arrays(f"{self._prefix}{step:09d}", {f"v{i}": v for i, v in enumerate(arrays)})
        if not edge:
            self._between.append((step, size))
            self._thin()
        self._at_last, self._last_step = self._smooth, step
        self._wanted = self.next
        self._last_cost = time.perf_counter() - began
        self._spent += self._last_cost

    def forget(self, step: int) -> None:
        """Remove the snapshot after `step` steps: the model had not all its variables yet."""
        self._writer.remove(f"{self._prefix}{step:09d}")

    def _thin(self) -> None:
        while sum(size for _, size in self._between) > MAX_BYTES and self._between:
            for step, _ in self._between[::2]:
                self._writer.remove(f"{self._prefix}{step:09d}")
            self._between = self._between[1::2]


def variable_values(model: Any, state: Any = None) -> list[np.ndarray]:
    """Values of `model.variables` now, copied.

    Args:
        model: a built keras.Model.
        state: on JAX what the train function has just returned: the variables themselves are stale mid-epoch.
    """
    import keras

    fresh: dict[int, Any] = {}
    if state is not None:
        for kind, values in zip(("trainable_variables", "non_trainable_variables"), state[:2], strict=True):
            fresh.update({id(v): value for v, value in zip(getattr(model, kind), values, strict=True)})
    return [np.array(keras.ops.convert_to_numpy(fresh.get(id(v), v))) for v in model.variables]
