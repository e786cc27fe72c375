"""Row fingerprints: one uint64 a row, equal for rows whose values are equal as float32.

Multiply-add hashing modulo 2**64 with fixed odd multipliers (Dietzfelbinger et al. 1997): two different rows
collide with probability about 2**-63. float32 is the canonical type so that a row is recognised after the cast
that Keras makes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

CHUNK_ROWS = 65_536


def as_array(value: Any) -> np.ndarray | None:
    """A NumPy view or copy of array-like `value` (pandas, polars, torch, jax, tf tensors, lists), or None."""
    if value is None or isinstance(value, (str, bytes, dict)) or callable(getattr(value, "__next__", None)):
        return None
    try:
        if hasattr(value, "toarray") and hasattr(value, "tocsr"):
            value = value.toarray()
        elif hasattr(value, "detach"):
            value = value.detach().cpu().numpy()
        elif hasattr(value, "to_numpy"):
            value = value.to_numpy()
        elif not hasattr(value, "__array__") and not isinstance(value, (list, tuple)):
            return None
        array = np.asarray(value)
    except Exception:
        return None
    return array if array.ndim >= 1 and array.dtype.kind in "biufUSO" else None


def row_hashes(array: np.ndarray) -> np.ndarray:
    """Fingerprints of the rows of `array`, shape (n,) uint64.

    >>> import numpy as np
    >>> a = row_hashes(np.array([[1.0, 2.0], [3.0, 4.0], [1.0, 2.0]]))
    >>> bool(a[0] == a[2]), bool(a[0] == a[1])
    (True, False)
    """
    rows = array.reshape(len(array), -1) if array.ndim > 1 else array.reshape(-1, 1)
    if rows.dtype.kind not in "biuf":
        rows = _encode_text(rows)
    width = rows.shape[1]
    multipliers = np.random.default_rng(0x5EED).integers(1, 2**63, size=width, dtype=np.uint64) * 2 + 1
    out = np.empty(len(rows), np.uint64)
    with np.errstate(over="ignore", invalid="ignore"):
        for start in range(0, len(rows), CHUNK_ROWS):
            block = np.ascontiguousarray(rows[start : start + CHUNK_ROWS], np.float32) + np.float32(0)
            bits = block.view(np.uint32).astype(np.uint64) + np.uint64(0x9E3779B9)
            mixed = (bits * bits + bits) * multipliers
            out[start : start + CHUNK_ROWS] = (mixed ^ (mixed >> np.uint64(29))).sum(axis=1, dtype=np.uint64)
    return out


def _encode_text(rows: np.ndarray) -> np.ndarray:
    import zlib

    codes = [[zlib.crc32(str(cell).encode()) % (1 << 22) for cell in row] for row in rows]
    return np.array(codes, dtype=np.float32).reshape(rows.shape)
