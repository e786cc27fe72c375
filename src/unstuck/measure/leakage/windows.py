"""Rows that are overlapping windows of one series: their order in time, from the arrays alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Self

import numpy as np

from unstuck.measure.case import Case, Missing
from unstuck.measure.data import Data
from unstuck.measure.leakage.trace import match
from unstuck.record.fingerprint import row_hashes

MIN_STEPS = 3
MIN_VALUES = 3
"""A piece of a window must hold so many distinct values: flat pieces and one-hot codes match by chance."""
LINKED = 0.3
"""Share of the windows that must continue in another one; of rows that are no windows none does. Of a sample of a
share q of all windows about q are followed by a window of the sample, hence times that share."""
SHIFTS = (1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 20, 24, 30, 32, 48, 50, 64)


@dataclass(frozen=True)
class Windows:
    """Windows that continue one another.

    Attributes:
        steps: length of a window in time steps; shift: steps from one window to the next.
        reversed: whether time runs from the last step of a window to the first.
        keys: place in time of each row of `Data.x`, then of `Data.held_x`; windows of other series are far away.
        shared: held-out windows that have a step in common with a training window; held: all of them, 0 when nothing
            was held out.
    """

    steps: int
    shift: int
    reversed: bool
    keys: np.ndarray = field(repr=False, compare=False)
    shared: int
    held: int

    @classmethod
    def of(cls, case: Case) -> Self:
        data = case.get(Data)
        if len(data.x) != 1 or data.x[0].ndim not in (2, 3) or data.x[0].dtype.kind != "f":
            raise Missing("one input of windows, (rows, steps) or (rows, steps, features)")
        split = data.held_kind != "holdout"
        pooled = np.concatenate([data.x[0], data.held_x[0]] if split else data.x).astype(np.float32)
        held_rows = int(data.held_stats.get("rows") or len(data.held_y)) if split else 0
        sampled = len(pooled) / max(len(pooled), data.rows + held_rows)
        found = linked(pooled, LINKED * sampled)
        if found is None:
            raise Missing("rows that are overlapping windows")
        shift, backwards, after = found
        keys = _places(after, gap=2 * pooled.shape[1])
        span = -(-pooled.shape[1] // shift) - 1
        shared = _near(keys[len(data.y) :], keys[: len(data.y)], span) if split else np.zeros(0, bool)
        return cls(pooled.shape[1], shift, backwards, keys, int(shared.sum()), len(shared))

    @property
    def span(self) -> int:
        """How many windows after it a window still shares a step with."""
        return -(-self.steps // self.shift) - 1

    @property
    def at_boundary(self) -> bool:
        """Whether only the windows beside the cuts of a split in order of time share steps."""
        return self.shared <= 2 * self.span


def linked(windows: np.ndarray, least: float) -> tuple[int, bool, np.ndarray] | None:
    """The shift by which windows continue one another, whether backwards, and the window after each (-1: none).

    Args:
        windows: (n, steps) or (n, steps, features). least: share of the windows that must be continued.
    """
    steps = windows.shape[1]
    if steps < MIN_STEPS or len(windows) < 20:
        return None
    for shift, backwards, ends, starts, rich in _pieces(windows):
        after = _continued(ends, starts, rich)
        found = (after >= 0).mean()
        if found < least:
            continue
        other = row_hashes(np.roll(windows[:, :-shift], 1, axis=1))  # steps in another order: matched by chance alone
        chance = _continued(other, starts, rich) if backwards else _continued(ends, other, rich)
        if found - (chance >= 0).mean() >= least:  # rows of small whole numbers continue one another so
            return shift, backwards, after
    return None


def _continued(ends: np.ndarray, starts: np.ndarray, rich: np.ndarray) -> np.ndarray:
    """Of each rich piece that ends a window, another window that starts with it; -1: none."""
    after = match(ends, starts)
    after[~rich] = -1
    after[after == np.arange(len(after))] = -1
    return after


def _pieces(windows: np.ndarray) -> Iterator[tuple[int, bool, np.ndarray, np.ndarray, np.ndarray]]:
    steps = windows.shape[1]
    for shift in (s for s in SHIFTS if s <= steps - 2 or (s == 1 and steps >= MIN_STEPS)):
        late, early = windows[:, shift:], windows[:, :-shift]
        flat = np.sort(late.reshape(len(late), -1), axis=1)
        rich = (np.diff(flat, axis=1) != 0).sum(axis=1) + 1 >= min(MIN_VALUES, flat.shape[1])
        if rich.mean() < 0.5:
            return
        hashes = row_hashes(late), row_hashes(early)
        yield shift, False, hashes[0], hashes[1], rich
        yield shift, True, hashes[1], hashes[0], rich


def _places(after: np.ndarray, gap: int) -> np.ndarray:
    """Place in time of each window, chains one after another with a gap between them."""
    places = np.full(len(after), -1)
    followed = np.zeros(len(after), bool)
    followed[after[after >= 0]] = True
    now = 0
    for first in [*np.flatnonzero(~followed).tolist(), *range(len(after))]:
        current, began = first, now
        while current >= 0 and places[current] < 0:
            places[current] = now
            now += 1
            current = int(after[current])
        if now > began:
            now += gap
    return places


def _near(held: np.ndarray, train: np.ndarray, reach: int) -> np.ndarray:
    """Which of `held` have one of `train` at most `reach` places away."""
    ordered = np.sort(train)
    at = np.searchsorted(ordered, held)
    before = held - ordered[np.maximum(at - 1, 0)]
    behind = ordered[np.minimum(at, len(ordered) - 1)] - held
    return np.asarray((np.abs(before) <= reach) | (np.abs(behind) <= reach))
