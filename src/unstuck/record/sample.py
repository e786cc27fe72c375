"""The bounded, seeded sample of the data handed to a fit, with statistics and fingerprints of all of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from unstuck.record.fingerprint import as_array, row_hashes

MAX_ROWS = 20_000
MAX_BYTES = 32 * 2**20
MAX_HASHED_BYTES = 512 * 2**20
SAMPLE_SEED = 20_231_123
CHUNK_VALUES = 65_536
"""Statistics are taken in pieces that stay in the processor's cache: ten times faster than whole-array copies."""
MAX_COLUMNS = 256
MOMENT_VALUES = 2_000_000
"""Mean and standard deviation are as exact as anybody needs from so many values: to a thousandth of the deviation."""


def sample_arrays(
    role: str,
    x: Any,
    y: Any,
    weight: Any,
    *,
    values: bool,
    names: tuple[Sequence[str], Sequence[str]] = ((), ()),
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Describe and sample one set of rows.

    Args:
        role: `train`, `held` or another prefix of the array names.
        x: features: an array-like, or a list, tuple or dict of array-likes (several inputs).
        y: targets, likewise, or None.
        weight: sample weights or None.
        values: False keeps statistics and fingerprints only.
        names: of the model's inputs and outputs: the order in which the parts of a dict are kept.

    Returns:
        A JSON description, and arrays named `<role>-x0`, `<role>-y0`, `<role>-weight`, `<role>-rows` (indices of the
        sampled rows) and `<role>-hash` (fingerprints of all rows of x).
    """
    xs, ys = parts(x, names[0]), parts(y, names[1])
    if xs is None:
        return {"kind": type(x).__name__, "recorded": False}, {}
    rows = len(xs[0])
    chosen = _choose(rows, sum(a.nbytes for a in xs) + sum(a.nbytes for a in ys or ()))
    described: dict[str, Any] = {
        "kind": type(x).__name__,
        "recorded": True,
        "rows": rows,
        "sampled": len(chosen),
        "x": [_statistics(a) | (_by_column(a) if len(chosen) < rows else {}) for a in xs],
        "y": [_statistics(a) for a in ys or ()],
        "columns": [str(c) for c in getattr(x, "columns", [])][:10_000],
        "x_names": ordered(x, names[0]) if isinstance(x, dict) else [],
        "y_names": ordered(y, names[1]) if isinstance(y, dict) else [],
    }
    kept: dict[str, np.ndarray] = {f"{role}-rows": chosen}
    if sum(a.nbytes for a in xs) <= MAX_HASHED_BYTES:
        kept[f"{role}-hash"] = row_hashes(np.concatenate([_flat(a) for a in xs], axis=1) if len(xs) > 1 else xs[0])
    if values:
        for name, arrays in (("x", xs), ("y", ys or ())):
            for i, array in enumerate(arrays):
                if len(array) == rows:
                    kept[f"{role}-{name}{i}"] = _plain(array[chosen])
        weights = as_array(weight)
        if weights is not None and len(weights) == rows:
            kept[f"{role}-weight"] = _plain(weights[chosen])
    weights = as_array(weight)
    if weights is not None and weights.dtype.kind in "biuf":
        described["weight"] = _statistics(weights)
    return described, kept


def ordered(value: Mapping[Any, Any], names: Sequence[str]) -> list[Any]:
    """The keys of a dict of arrays in the order of the model's names, if these are the same."""
    return list(names if set(names) == set(value) else value)


def parts(value: Any, names: Sequence[str] = ()) -> list[np.ndarray] | None:
    """The arrays that `value` consists of: one, or one an input (output); None when it is no array-like.

    Args:
        value: an array-like, or a list, tuple or dict of them.
        names: order of a dict's parts; its own order where the names are others.
    """
    if value is None:
        return None
    if isinstance(value, dict):
        value = [value[name] for name in ordered(value, names)]
    if isinstance(value, (list, tuple)) and value and not isinstance(value[0], (list, tuple)):
        found = [as_array(v) for v in value]
        if all(part is not None for part in found):
            return [part for part in found if part is not None]
    array = as_array(value)
    return None if array is None else [array]


def _choose(rows: int, size: int) -> np.ndarray:
    limit = min(rows, MAX_ROWS, max(64, int(rows * MAX_BYTES / max(size, 1))))
    if limit >= rows:
        return np.arange(rows)
    return np.sort(np.random.default_rng(SAMPLE_SEED).choice(rows, limit, replace=False))


def _flat(array: np.ndarray) -> np.ndarray:
    return array.reshape(len(array), -1)


def _plain(array: np.ndarray) -> np.ndarray:
    return array.astype(str) if array.dtype.kind in "OUS" else array


def _statistics(array: np.ndarray) -> dict[str, Any]:
    about: dict[str, Any] = {"shape": list(array.shape), "dtype": str(array.dtype)}
    if array.dtype.kind not in "biuf" or array.size == 0:
        return about
    with np.errstate(over="ignore", invalid="ignore"):
        about |= _extremes(array) | _moments(array)
    if array.ndim == 1 or array.size == len(array):
        about["unique"] = len(np.unique(array[np.isfinite(array)] if array.dtype.kind == "f" else array))
    return about


def _extremes(array: np.ndarray) -> dict[str, Any]:
    """Over all rows: number of non-finite values, minimum and maximum of the others; of tables the sums of rows."""
    bad, low, high = 0, np.inf, -np.inf
    zero, sum_low, sum_high = 0, np.inf, -np.inf
    table = array.ndim == 2 and array.shape[1] > 1
    step = max(1, CHUNK_VALUES // max(1, array[:1].size))
    for start in range(0, len(array), step):
        chunk = array[start : start + step]
        if array.dtype.kind == "f" and not np.isfinite(chunk.min() + chunk.max()):
            finite = np.isfinite(chunk)
            bad += chunk.size - int(finite.sum())
            if finite.any():
                low, high = min(low, float(chunk[finite].min())), max(high, float(chunk[finite].max()))
            sums, empty = np.where(finite, chunk, 0), np.where(finite, chunk, 1)
        else:
            low, high = min(low, float(chunk.min())), max(high, float(chunk.max()))
            sums = empty = chunk
        if table:
            found = sums.sum(axis=1)
            sum_low, sum_high = min(sum_low, float(found.min())), max(sum_high, float(found.max()))
            zero += int((empty[found == 0] == 0).all(axis=1).sum())
    about: dict[str, Any] = {"non_finite": bad}
    about |= {} if low > high else {"min": low, "max": high}
    return about | ({"zero_rows": zero, "row_sum_min": sum_low, "row_sum_max": sum_high} if table else {})


def _by_column(array: np.ndarray) -> dict[str, Any]:
    """Of a table of numbers, of which a sample is kept: moments and range of each column over all rows."""
    if array.ndim != 2 or not 1 < array.shape[1] <= MAX_COLUMNS or array.dtype.kind != "f":
        return {}
    step = max(1, CHUNK_VALUES // array.shape[1])
    first = array[:step].astype(np.float64).mean(axis=0)  # what is summed is near 0, and no digits are lost
    total, squares = np.zeros_like(first), np.zeros_like(first)
    low, high = np.full_like(first, np.inf), np.full_like(first, -np.inf)
    for start in range(0, len(array), step):
        chunk = array[start : start + step].astype(np.float64)
        low, high = np.minimum(low, chunk.min(axis=0)), np.maximum(high, chunk.max(axis=0))
        chunk -= first
        total += chunk.sum(axis=0)
        squares += np.einsum("ij,ij->j", chunk, chunk)
    mean = total / len(array)
    spread = np.sqrt(np.maximum(squares / len(array) - mean**2, 0))
    found = {"mean": first + mean, "std": spread, "min": low, "max": high}
    return {"by_column": {k: v.tolist() for k, v in found.items()}} if np.isfinite(spread).all() else {}


def _moments(array: np.ndarray) -> dict[str, Any]:
    """Mean and standard deviation of the finite values; of very large arrays those of every k-th row."""
    rows = array[:: max(1, array.size // MOMENT_VALUES)]
    step = max(1, CHUNK_VALUES // max(1, rows[:1].size))
    count, first, total, squares = 0, 0.0, 0.0, 0.0
    for start in range(0, len(rows), step):
        values = rows[start : start + step].astype(np.float64).reshape(-1)
        values = values if np.isfinite(values.sum()) else values[np.isfinite(values)]
        if not len(values):
            continue
        if not count:
            first = float(values.mean())  # what is summed is near 0, and no digits are lost
        values -= first
        count += len(values)
        total += float(values.sum())
        squares += float(values @ values)
    if not count:
        return {}
    mean = total / count
    return {"mean": first + mean, "std": float(np.sqrt(max(0.0, squares / count - mean**2)))}
