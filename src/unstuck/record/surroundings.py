"""What stands beside the rows in the script when it calls fit: the tables they came from, columns of ids and of times.

A split by NumPy indexing, `iloc`, `KFold` or a library leaves no call to watch, but the table that was split is still
a variable of the script, and the columns beside it (a patient, a date) have its length. Of tables the fingerprints of
the rows are kept, of columns the order or the number of each value, never the values.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from types import FrameType
from typing import Any

import numpy as np

from unstuck.record.fingerprint import as_array, row_hashes
from unstuck.record.recorder import Recorder
from unstuck.record.sites import is_user_file

MAX_FITS = 10
"""Later fits of a search are prepared like the first ones."""
MAX_FRAMES = 4
MAX_TABLES, MAX_COLUMNS = 8, 40
MAX_TABLE_BYTES = 256 * 2**20
MAX_ROWS = 2_000_000
MAX_TEXTS = 200_000
"""Texts are sorted in Python, about a microsecond each."""
MAX_SECONDS = 1.0
"""Looking at the variables of a fit may take so long; a frame of forty text columns would take ten times that."""


def record_surroundings(recorder: Recorder, fit: int, x: Any, rows: int) -> None:
    """Look at the variables of the calling script.

    Args:
        fit: number of the fit. x: what it trains on. rows: their number; only longer variables can hold them all.
    """
    if fit >= MAX_FITS or not recorder.samples or not rows:
        return
    tables: dict[str, np.ndarray] = {}
    columns: dict[str, tuple[np.ndarray, str]] = {}
    wanted = [str(c) for c in getattr(x, "columns", [])]
    until = time.monotonic() + MAX_SECONDS
    for name, value in _variables(sys._getframe(1)):
        if not rows < len(value) <= MAX_ROWS:
            continue
        table = _table(value, wanted)
        if table is not None and len(tables) < MAX_TABLES:
            tables[name] = row_hashes(table)
        for column, values in _columns(name, value):
            if len(columns) < MAX_COLUMNS and column not in columns and time.monotonic() < until:
                found = _codes(values)
                if found is not None:
                    columns[column] = found
        if time.monotonic() > until:
            recorder.writer.event("note", {"text": f"only the first variables were looked at, for {MAX_SECONDS} s"})
            break
    recorder.writer.event(
        "surroundings",
        {
            "fit": fit,
            "tables": list(tables),
            "columns": [{"name": name, "kind": kind} for name, (_, kind) in columns.items()],
        },
    )
    arrays = {f"table{i}": hashes for i, hashes in enumerate(tables.values())}
    arrays |= {f"column{i}": codes for i, (codes, _) in enumerate(columns.values())}
    if arrays:
        recorder.writer.arrays(f"fit-{fit}-surroundings", arrays)


def _variables(frame: FrameType | None) -> Iterator[tuple[str, Any]]:
    """Variables of the person's frames, innermost first, that have a length and are no modules or functions."""
    frames, seen = 0, set()
    while frame is not None and frames < MAX_FRAMES:
        if is_user_file(frame.f_code.co_filename):
            frames += 1
            for name, value in list(frame.f_locals.items()):
                if name.startswith("_") or id(value) in seen or not _is_table(value):
                    continue
                seen.add(id(value))
                yield name, value
        frame = frame.f_back


def _is_table(value: Any) -> bool:
    if isinstance(value, list):
        return bool(value) and isinstance(value[0], (int, float, str))
    return (isinstance(value, np.ndarray) and value.ndim > 0) or (hasattr(value, "iloc") and hasattr(value, "index"))


def _table(value: Any, wanted: list[str]) -> np.ndarray | None:
    """The rows of `value` as they would be handed to fit; of a frame the columns that fit was given."""
    if isinstance(value, list) or getattr(value, "nbytes", 0) > MAX_TABLE_BYTES or np.ndim(value) < 2:
        return None
    if hasattr(value, "columns"):
        names = [str(c) for c in value.columns]
        if wanted and set(wanted) <= set(names):
            value = value.iloc[:, [names.index(c) for c in wanted]]
    array = as_array(value)
    return array if array is not None and array.dtype.kind in "biuf" else None


def _columns(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if hasattr(value, "columns"):
        yield f"{name}.index", np.asarray(value.index)
        for i, column in enumerate(value.columns):
            yield f"{name}.{column}", np.asarray(value.iloc[:, i])
    elif np.ndim(value) == 1:
        if hasattr(value, "iloc"):
            yield f"{name}.index", np.asarray(value.index)
        yield name, np.asarray(value)


def _codes(values: np.ndarray) -> tuple[np.ndarray, str] | None:
    """The number of each value among the distinct ones in ascending order, int32, and `time`, `id` or `number`.

    Fractions are kept only where they rise from row to row, as a time does.
    """
    if values.ndim != 1:
        return None
    kind = values.dtype.kind
    if kind in "OUS":
        if len(values) > MAX_TEXTS:
            return None
        values = values.astype(str)
    elif kind == "f":
        whole = bool(np.isfinite(values).all() and (values == np.round(values)).all())
        if not whole and not (np.diff(values) >= 0).all():
            return None
    elif kind not in "iuM":
        return None
    distinct, codes = np.unique(values, return_inverse=True)
    if len(distinct) < 2:
        return None
    return codes.astype(np.int32), {"M": "time", "f": "number", "i": "number", "u": "number"}.get(kind, "id")
