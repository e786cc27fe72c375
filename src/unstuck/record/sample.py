"""The bounded, seeded sample of the data handed to a fit, with statistics and fingerprints of all of it."""

from __future__ import annotations

from typing import Any

import numpy as np

from unstuck.record.fingerprint import as_array, row_hashes

MAX_ROWS = 20_000
MAX_BYTES = 64 * 2**20
MAX_HASHED_BYTES = 512 * 2**20
SAMPLE_SEED = 20_231_123


def sample_arrays(
    role: str, x: Any, y: Any, weight: Any, *, values: bool
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Describe and sample one set of rows.

    Args:
        role: `train`, `held` or another prefix of the array names.
        x: features: an array-like, or a list, tuple or dict of array-likes (several inputs).
        y: targets, likewise, or None.
        weight: sample weights or None.
        values: False keeps statistics and fingerprints only.

    Returns:
        A JSON description, and arrays named `<role>-x0`, `<role>-y0`, `<role>-weight`, `<role>-rows` (indices of the
        sampled rows) and `<role>-hash` (fingerprints of all rows of x).
    """
    xs, ys = _arrays(x), _arrays(y)
    if xs is None:
        return {"kind": type(x).__name__, "recorded": False}, {}
    rows = len(xs[0])
    chosen = _choose(rows, sum(a.nbytes for a in xs) + sum(a.nbytes for a in ys or ()))
    described: dict[str, Any] = {
        "kind": type(x).__name__,
        "recorded": True,
        "rows": rows,
        "sampled": len(chosen),
        "x": [_statistics(a) for a in xs],
        "y": [_statistics(a) for a in ys or ()],
        "columns": [str(c) for c in getattr(x, "columns", [])][:10_000],
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


def _arrays(value: Any) -> list[np.ndarray] | None:
    if value is None:
        return None
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)) and value and as_array(value[0]) is not None and np.ndim(value[0]) >= 1:
        parts = [as_array(v) for v in value]
        return None if any(p is None for p in parts) else [p for p in parts if p is not None]
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
    finite = np.isfinite(array) if array.dtype.kind == "f" else np.ones(array.shape, bool)
    about["non_finite"] = int(array.size - finite.sum())
    if finite.any():
        good = array[finite].astype(np.float64)
        about |= {"min": good.min(), "max": good.max(), "mean": good.mean(), "std": good.std()}
    if array.ndim == 1 or array.size == len(array):
        unique = np.unique(array[finite.reshape(array.shape)])
        about["unique"] = len(unique)
    if array.ndim == 2 and array.shape[1] > 1:
        sums = np.where(finite, array, 0).sum(axis=1)
        about["zero_rows"] = int((np.abs(np.where(finite, array, 1)).sum(axis=1) == 0).sum())
        about["row_sum_min"], about["row_sum_max"] = float(sums.min()), float(sums.max())
    return about
