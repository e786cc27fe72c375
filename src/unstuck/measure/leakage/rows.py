"""Row fingerprints of what fit was given and of what was held out, whichever way it was held out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from unstuck.measure.case import Case, Missing
from unstuck.measure.data import Data


@dataclass(frozen=True)
class Rows:
    """Fingerprints of *all* rows, and which of them the recorded sample holds.

    Attributes:
        train, held: (n,) and (m,) uint64, see `record/fingerprint.py`.
        train_sample, held_sample: indices into them of the rows of `Data.x` and `Data.held_x`.
        held_kind: as in `Data`; `holdout` means that nothing was held out, and `held` is empty.
        until: sequence number of the event that used the held-out rows; later events had no part in it.
    """

    train: np.ndarray
    held: np.ndarray
    train_sample: np.ndarray
    held_sample: np.ndarray
    held_kind: str
    until: int

    @classmethod
    def of(cls, case: Case) -> Self:
        data, own = case.get(Data), case.fit.arrays
        if "train-hash" not in own:
            raise Missing("row fingerprints", "the rows were too many bytes to fingerprint")
        train, train_sample = own["train-hash"], own["train-rows"]
        found = _held(case, data, own)
        if found is None:
            empty = np.zeros(0, np.uint64)
            return cls(train, empty, train_sample, empty.astype(int), data.held_kind, case.fit.sequence)
        held, sample, until = found
        return cls(train, held, train_sample, sample, data.held_kind, until)


def _held(case: Case, data: Data, own: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray, int] | None:
    if data.held_kind == "validation" and "held-hash" in own:
        return own["held-hash"], own["held-rows"], case.fit.sequence
    if data.held_kind == "evaluate":
        for event in case.fit.evaluations:
            arrays = case.run.arrays(f"evaluate-{event.sequence}")
            if "held-hash" in arrays and _same(arrays.get("held-x0"), data):
                return arrays["held-hash"], arrays["held-rows"], event.sequence
    if data.held_kind == "split":
        for event in case.run.events:
            if event.kind == "flow" and event.body.get("operation") == "split":
                arrays = case.run.arrays(f"flow-{event.sequence}")
                if "part1-hash" in arrays and _same(arrays.get("other-x"), data):
                    return arrays["part1-hash"], np.arange(len(arrays["part1-hash"])), case.fit.sequence
    return None


def _same(array: np.ndarray | None, data: Data) -> bool:
    return array is not None and np.array_equal(array, data.held_x[0], equal_nan=array.dtype.kind == "f")
