"""A transformer that was fitted on a whole series before windows were cut from it and divided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from unstuck.measure.case import Case, Missing
from unstuck.measure.data import Data
from unstuck.measure.leakage.provenance import SAW
from unstuck.measure.leakage.trace import match, share
from unstuck.record.fingerprint import row_hashes

ALL = 0.95
"""Share of the steps of training and of held-out windows that must be outputs of the transformer."""
ENOUGH = 20
"""Distinct outputs under which steps match by chance."""


@dataclass(frozen=True)
class SeriesFit:
    """The transformer whose outputs are the steps of the windows.

    Attributes:
        estimator: its class; site: of the call in which it was fitted.
        alone: steps that held-out windows alone hold; saw: on how many of them it was fitted. Of windows divided at
            random none are alone: their steps are in training windows too, which is another leak (time-overlap).
    """

    estimator: str
    site: Mapping[str, Any] | None
    saw: int
    alone: int

    @classmethod
    def of(cls, case: Case) -> Self:
        data = case.get(Data)
        if data.held_kind == "holdout":
            raise Missing("held-out rows", "hand validation_data to fit, or evaluate on other rows afterwards")
        if len(data.x) != 1 or data.x[0].ndim not in (2, 3) or data.x[0].dtype.kind != "f" or len(data.y) < data.rows:
            raise Missing("all rows of one input of windows, (rows, steps) or (rows, steps, features)")
        fits: dict[Any, tuple[Mapping[str, Any], np.ndarray]] = {}
        for event in case.run.events:
            body, width = event.body, int(event.body.get("width") or 0)
            if event.kind != "flow" or event.sequence > case.fit.sequence or not _cut_from(data.x[0], width):
                continue
            arrays = case.run.arrays(f"flow-{event.sequence}")
            if "in-hash" in arrays and body.get("operation") in ("fit", "fit_transform"):
                fits[body["estimator_id"]] = body, arrays["in-hash"]
            if not {"in-hash", "out-hash"} <= set(arrays) or body.get("estimator_id") not in fits:
                continue
            fitted, table = fits[body["estimator_id"]]
            steps = _held_alone(data, arrays["out-hash"], width)
            if steps is not None:
                inputs = arrays["in-hash"][match(steps, arrays["out-hash"])]
                saw = int(np.isin(inputs, table).sum())
                return cls(fitted["estimator"], fitted.get("site"), saw, len(steps))
        raise Missing("windows whose steps a transformer gave")

    @property
    def leaks(self) -> bool:
        return self.saw >= max(1, SAW * self.alone)


def _cut_from(windows: np.ndarray, width: int) -> bool:
    """Whether these may be windows of several steps of `width` columns."""
    steps_fit = width == 1 or (width > 1 and windows.ndim == 3 and windows.shape[-1] == width)
    return steps_fit and windows.size != len(windows) * width


def _held_alone(data: Data, table: np.ndarray, width: int) -> np.ndarray | None:
    """Fingerprints of the steps of held-out windows that no training window holds; None of rows that are no windows.

    Args:
        table: fingerprints of the outputs of a transformer. width: their columns.
    """
    if len(np.unique(table)) < ENOUGH:
        return None
    train, held = (np.unique(row_hashes(array.reshape(-1, width))) for array in (data.x[0], data.held_x[0]))
    if min(share(train, table), share(held, table)) < ALL:
        return None
    alone = held[~np.isin(held, train) & np.isin(held, table)]
    return alone if len(alone) >= SAW * len(held) else np.zeros(0, held.dtype)
