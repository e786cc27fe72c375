"""Inputs and labels that went through a split of their own each: does every row still have its own label?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from unstuck.measure.case import Case, Missing
from unstuck.measure.data import Data
from unstuck.measure.leakage.trace import match
from unstuck.record.fingerprint import row_hashes
from unstuck.record.recorded import Event


@dataclass(frozen=True)
class Pairing:
    """Training labels beside those that the same rows had before inputs and labels were split apart.

    Attributes:
        rows: training rows that could be compared; apart: those that have the label of another row, which differs.
        x_site, y_site: the two calls of `train_test_split`.
        own, held_own: for each training and each held-out row, where among the targets of both, those of training
            first, its own label is; empty where the labels of some rows are not at hand.
    """

    rows: int
    apart: int
    x_site: Mapping[str, Any] | None
    y_site: Mapping[str, Any] | None
    own: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64), repr=False, compare=False)
    held_own: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64), repr=False, compare=False)

    @classmethod
    def of(cls, case: Case) -> Self:
        data = case.get(Data)
        single = [
            event
            for event in case.run.events
            if event.kind == "flow"
            and event.body.get("operation") == "split"
            and event.body.get("arrays") == 1
            and event.sequence < case.fit.sequence
        ]
        if len(single) < 2 or len(data.y) < data.rows:
            raise Missing("two splits of one array each, with all training rows")
        given = row_hashes(data.y)
        labels = _last(case, single, lambda arrays: np.array_equal(arrays["part0-hash"], given))
        if labels is None:
            raise Missing("the split that the training labels come from")
        own = case.fit.arrays.get("train-hash", np.zeros(0, np.uint64))
        others = [event for event in single if event is not labels and event.body.get("rows") == labels.body["rows"]]
        inputs = _last(case, others, lambda arrays: np.array_equal(arrays["part0-hash"], own))
        # Scaled after the split the rows are others, in the same order.
        inputs = inputs or _last(case, others, lambda arrays: len(arrays["part0-hash"]) == len(given))
        if inputs is None:
            raise Missing("the split that the training inputs come from")
        x, y = (case.run.arrays(f"flow-{event.sequence}") for event in (inputs, labels))
        index = match(x["part0-hash"], x["in-hash"])
        _, where, copies = np.unique(x["in-hash"], return_inverse=True, return_counts=True)
        # Equal rows may have changed places with each other: nothing can be said of their labels.
        sure = (index >= 0) & (copies[where.reshape(-1)[index]] == 1)
        apart = y["in-hash"][index] != given
        sites = inputs.body.get("site"), labels.body.get("site")
        return cls(int(sure.sum()), int((apart & sure).sum()), *sites, *_own(data, given, index, x, y))


def _own(
    data: Data, given: np.ndarray, index: np.ndarray, x: Mapping[str, np.ndarray], y: Mapping[str, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Where the labels are that training and held-out rows had before the splits."""
    nowhere = np.zeros(0, np.int64), np.zeros(0, np.int64)
    held = row_hashes(data.held_y)
    if data.held_kind == "holdout" or "part1-hash" not in x or len(x["part1-hash"]) != len(held):
        return nowhere
    if "part1-hash" not in y or not np.array_equal(held, y["part1-hash"]):
        return nowhere
    held_index = match(x["part1-hash"], x["in-hash"])
    pool = np.concatenate([given, held])
    # Any label of the same value will do.
    order = np.argsort(pool, kind="stable")
    found = []
    for rows in (index, held_index):
        wanted = y["in-hash"][rows]
        place = order[np.minimum(np.searchsorted(pool[order], wanted), len(pool) - 1)]
        if (rows < 0).any() or (pool[place] != wanted).any():
            return nowhere
        found.append(place)
    return found[0], found[1]


def _last(case: Case, events: list[Event], fits: Any) -> Event | None:
    for event in reversed(events):
        arrays = case.run.arrays(f"flow-{event.sequence}")
        if {"in-hash", "part0-hash"} <= set(arrays) and fits(arrays):
            return event
    return None
