"""A loop of the person's over `train_on_batch`, recorded as one training of the model."""

from __future__ import annotations

from typing import Any

import numpy as np

from unstuck.record.fingerprint import row_hashes
from unstuck.record.recorder import Recorder
from unstuck.record.sample import parts
from unstuck.record.sites import Site
from unstuck.record.tap import Call
from unstuck.record.training import Training

SEEN_BEFORE = 0.9
"""A batch that holds this share of rows from earlier batches opens a second pass over the data."""
MAX_REMEMBERED = 200_000
"""Rows remembered to recognise the second pass; after so many the loop counts as one endless pass."""


class LoopRecorder:
    """Records calls of `train_on_batch` of one model until it is fitted otherwise or the process ends."""

    def __init__(self, recorder: Recorder, model: Any, given: dict[str, Any], site: Site | None) -> None:
        self.model = model
        self._training = Training(recorder, model)
        self._seen: set[int] = set()
        self._rows = 0
        self._pass_rows: int | None = None
        first = parts(given.get("x"))
        rows = len(first[0]) if first else None
        found = {
            "x": _Batches(),
            "batch_size": rows,
            "class_weight": given.get("class_weight"),
            "shuffle": False,
        }
        self._training.begin(found, (None, None, None), site, loop=True)

    def stepped(self, given: dict[str, Any], result: Any) -> None:
        """One call has returned `result`."""
        training = self._training
        batch = (given.get("x"), given.get("y"), given.get("sample_weight"))
        xs = parts(batch[0]) or []
        rows = len(xs[0]) if xs else 0
        self._rows += rows
        if self._pass_rows is None and xs:
            self._look_for_second_pass(xs[0], rows)
        training.stepped(Call({"loss": _loss(result)}, [batch], None))

    def _look_for_second_pass(self, x: np.ndarray, rows: int) -> None:
        hashes = row_hashes(x).tolist()
        known = sum(h in self._seen for h in hashes)
        if known >= SEEN_BEFORE * rows and len(self._seen) > rows:
            self._pass_rows = self._rows - rows
            self._training.passed("train")
        elif len(self._seen) > MAX_REMEMBERED:
            self._pass_rows = self._rows
            self._training.passed("train")
        else:
            self._seen.update(hashes)

    def refused(self, error: BaseException) -> None:
        status = "interrupted" if isinstance(error, KeyboardInterrupt) else "raised"
        self.end(status, error=f"{type(error).__name__}: {str(error)[:2000]}")

    def end(self, status: str = "completed", *, error: str = "") -> None:
        """The loop is over."""
        epochs = max(1, round(self._rows / self._pass_rows)) if self._pass_rows else 1
        self._training.recorder.writer.event("loop", {"epochs": epochs}, fit=self._training.number)
        self._training.end(status, error=error)


class _Batches:
    """Stands for the data of a loop, of which only batches are ever seen."""


def _loss(result: Any) -> Any:
    """The loss in what `train_on_batch` returned: a number, a list that begins with it, or a dict."""
    if isinstance(result, dict):
        return result.get("loss", np.nan)
    return result[0] if isinstance(result, (list, tuple)) else result
