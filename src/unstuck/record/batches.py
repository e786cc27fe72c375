"""Batches as Keras passes them: their parts, their rows, and a bounded, seeded sample of those that flow by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from unstuck.record.sample import MAX_BYTES, MAX_ROWS, SAMPLE_SEED, ordered, parts, sample_arrays


def unpack(batch: Any) -> tuple[Any, Any, Any]:
    """(x, y, weight) of a batch, as `keras.utils.unpack_x_y_sample_weight` reads it."""
    if isinstance(batch, list):
        batch = tuple(batch)
    if not isinstance(batch, tuple):
        return batch, None, None
    x, y, weight = (*batch, None, None)[:3]
    return x, y, weight


def row_count(batch: Any) -> int:
    """Rows of a batch; 0 when it has none that can be counted."""
    leaf = batch  # of (x, y, weight) the first part is x
    while isinstance(leaf, (list, tuple, dict)) and leaf:
        leaf = next(iter(leaf.values())) if isinstance(leaf, dict) else leaf[0]
    shape = getattr(leaf, "shape", None)
    return int(shape[0]) if shape is not None and len(shape) else 0


class BatchSample:
    """A seeded reservoir of whole batches of one pass over a stream, with the number of rows that passed.

    Batches are copied when they are taken: a generator may fill the same buffer again and again. `limit`: batches of
    one pass where that is known; a prefetching pipeline hands over some of the next.
    """

    def __init__(
        self, role: str, kind: str, names: tuple[Sequence[str], Sequence[str]] = ((), ()), limit: int | None = None
    ) -> None:
        self.role, self.kind, self.limit = role, kind, limit
        self.rows = 0
        """Rows that have passed."""
        self.sizes: list[int] = []
        """Rows of each batch, in order."""
        self._names = names
        self._kept: list[tuple[int, list[np.ndarray], list[np.ndarray], np.ndarray | None]] = []
        self._passed = 0
        self._full = False
        self._kept_rows = self._kept_bytes = 0
        self._random = np.random.default_rng(SAMPLE_SEED)
        self._labels: dict[str, list[str]] = {}

    def add(self, batch: Any) -> None:
        if self.limit is not None and self._passed >= self.limit:
            return
        rows = row_count(batch)
        self.rows += rows
        self.sizes.append(rows)
        self._passed += 1
        place = len(self._kept)
        if self._full:
            place = int(self._random.integers(self._passed))
            if place >= len(self._kept):
                return
        taken = self._copy(batch)
        if taken is None:
            return
        if self._full:
            self._kept[place] = taken
            return
        self._kept.append(taken)
        self._kept_rows += rows
        self._kept_bytes += sum(a.nbytes for a in (*taken[1], *taken[2]))
        self._full = self._kept_rows >= MAX_ROWS or self._kept_bytes >= MAX_BYTES

    def _copy(self, batch: Any) -> tuple[int, list[np.ndarray], list[np.ndarray], np.ndarray | None] | None:
        x, y, weight = unpack(batch)
        xs, ys, ws = parts(x, self._names[0]), parts(y, self._names[1]), parts(weight)
        if xs is None:
            return None
        for name, value, names in (("x_names", x, self._names[0]), ("y_names", y, self._names[1])):
            if isinstance(value, dict):
                self._labels[name] = ordered(value, names)
        copied = [[np.array(a) for a in group or ()] for group in (xs, ys, ws)]
        return self._passed, copied[0], copied[1], copied[2][0] if copied[2] else None

    def result(self, *, values: bool, ended: bool, endless: bool) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Description and arrays as of `sample_arrays`; `ended`: the pass is over, so `rows` is all there are."""
        about: dict[str, Any] = {"kind": self.kind, "stream": True, "endless": endless, "ended": ended}
        about["batch_rows"] = self.sizes[0] if self.sizes else 0
        if not self._kept:
            return about | {"recorded": False, "rows": self.rows}, {}
        kept = sorted(self._kept, key=lambda entry: entry[0])
        x = [_joined([entry[1][i] for entry in kept]) for i in range(len(kept[0][1]))]
        y = [_joined([entry[2][i] for entry in kept]) for i in range(len(kept[0][2]))]
        weights = [entry[3] for entry in kept]
        weight = None if any(w is None for w in weights) else _joined([w for w in weights if w is not None])
        described, arrays = sample_arrays(self.role, x, y or None, weight, values=values)
        sampled = int(described.get("sampled") or 0)
        return described | about | {"rows": self.rows, "sampled": sampled} | self._labels, arrays


def _joined(arrays: list[np.ndarray]) -> np.ndarray:
    """All rows in one array; batches padded to different lengths are padded with zeros to the longest."""
    longest = tuple(max(sizes) for sizes in zip(*(a.shape[1:] for a in arrays), strict=True))
    if any(a.shape[1:] != longest for a in arrays):
        widths = [[(0, 0), *((0, n - m) for n, m in zip(longest, a.shape[1:], strict=True))] for a in arrays]
        arrays = [np.pad(a, width) for a, width in zip(arrays, widths, strict=True)]
    return np.concatenate(arrays)
