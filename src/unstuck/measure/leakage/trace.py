"""Following rows back through recorded transformations by their fingerprints (uint64 arrays)."""

from __future__ import annotations

import numpy as np


def match(rows: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Index in `table` of each of `rows`, -1 where there is none; the k-th copy of a row takes the k-th there.

    >>> import numpy as np
    >>> a = lambda *v: np.array(v, np.uint64)
    >>> match(a(5, 7, 5, 9), a(5, 5, 7)).tolist()
    [0, 2, 1, -1]
    """
    if not len(table) or not len(rows):
        return np.full(len(rows), -1)
    order = np.argsort(table, kind="stable")
    sorted_table = table[order]
    left = np.searchsorted(sorted_table, rows, "left")
    copies = np.searchsorted(sorted_table, rows, "right") - left
    place = left + np.minimum(_occurrence(rows), np.maximum(copies - 1, 0))
    return np.where(copies > 0, order[np.minimum(place, len(table) - 1)], -1)


def _occurrence(rows: np.ndarray) -> np.ndarray:
    """For each element how many equal ones come before it."""
    order = np.argsort(rows, kind="stable")
    sorted_rows = rows[order]
    starts = np.flatnonzero(np.r_[True, sorted_rows[1:] != sorted_rows[:-1]])
    lengths = np.diff(np.r_[starts, len(rows)])
    out = np.empty(len(rows), dtype=np.int64)
    out[order] = np.arange(len(rows)) - np.repeat(starts, lengths)
    return out


def share(rows: np.ndarray, table: np.ndarray) -> float:
    """Share of `rows` that are in `table`; 0 when there are none."""
    return float(np.isin(rows, table).mean()) if len(rows) else 0.0


def seen(train: np.ndarray, held: np.ndarray, table: np.ndarray) -> tuple[int, int]:
    """How many training and how many held-out rows are among the rows of `table`.

    Copies are counted: a held-out row that equals a training row is seen only if the table holds it more often
    than the training rows account for.

    >>> import numpy as np
    >>> a = lambda *v: np.array(v, np.uint64)
    >>> seen(a(1, 2), a(2, 3), a(1, 2))
    (2, 0)
    >>> seen(a(1, 2), a(2, 3), a(1, 2, 2, 3))
    (2, 2)
    """
    values, inverse = np.unique(np.concatenate([table, train, held]), return_inverse=True)
    parts = np.split(inverse, np.cumsum([len(table), len(train)]))
    there, trained, kept = (np.bincount(part, minlength=len(values)) for part in parts)
    left = np.maximum(there - trained, 0)
    return int(np.minimum(there, trained).sum()), int(np.minimum(left, kept).sum())
