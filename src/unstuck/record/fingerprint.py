"""Row fingerprints: one uint64 a row, equal for rows whose values are equal as float32.

Each 64-bit word of a row (two values) is mixed by odd multipliers that depend on its place (Dietzfelbinger et al.
1997, with the shifts of Steele et al. 2014 between them), and the mixed words are added up. Rows that differ in one
word never collide; others do with probability about 2**-63. float32 is the canonical type so that a row is recognised
after the cast that Keras makes. One pass over the bytes, in blocks that stay in the processor's cache.
"""

from __future__ import annotations

from typing import Any

import numpy as np

BLOCK_WORDS = 65_536
"""64-bit words worked on at a time: half a megabyte, which stays in a second-level cache."""


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
    if array.dtype.kind not in "biuf":
        array = _encode_text(array.reshape(len(array), -1) if array.ndim > 1 else array.reshape(-1, 1))
    width = int(np.prod(array.shape[1:], dtype=np.int64))
    words = max(1, (width + 1) // 2)
    multipliers = np.random.default_rng(0x5EED).integers(1, 2**63, size=words, dtype=np.uint64) * 2 + 1
    out = np.empty(len(array), np.uint64)
    step = max(1, BLOCK_WORDS // words)
    block = np.zeros((min(step, len(array)), 2 * words), np.float32)
    spare = np.empty((len(block), words), np.uint64)
    with np.errstate(over="ignore", invalid="ignore"):
        for start in range(0, len(array), step):
            rows = array[start : start + step]
            values = block[: len(rows)]
            values[:, :width] = rows.reshape(len(rows), width)
            values += np.float32(0)  # -0.0 equals 0.0
            mixed, shifted = values.view(np.uint64), spare[: len(rows)]
            for shift, factor in ((29, multipliers), (32, multipliers[::-1])):
                np.right_shift(mixed, np.uint64(shift), out=shifted)
                np.bitwise_xor(mixed, shifted, out=mixed)
                np.multiply(mixed, factor, out=mixed)
            np.add.reduce(mixed, axis=1, out=out[start : start + step])
            block[: len(rows), width:] = 0
    return out


def _encode_text(rows: np.ndarray) -> np.ndarray:
    import zlib

    codes = [[zlib.crc32(str(cell).encode()) % (1 << 22) for cell in row] for row in rows]
    return np.array(codes, dtype=np.float32).reshape(rows.shape)
