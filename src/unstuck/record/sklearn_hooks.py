"""What is watched in scikit-learn: which rows each transformer was fitted on, and where rows were split.

Every outermost call from the person's code becomes a `flow` event with fingerprints of the rows in and out. Methods
are wrapped where classes are made, so estimators of other libraries and of the person are seen too. The wrappers
close over nothing of ours: a transformer defined in a script still travels to worker processes.
"""

from __future__ import annotations

import inspect
import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from types import FunctionType
from typing import Any

import numpy as np

from unstuck.record import custom
from unstuck.record.fingerprint import as_array, row_hashes
from unstuck.record.recorder import Recorder, wrapped
from unstuck.record.sites import Site, is_user_file

METHODS = ("fit", "transform", "fit_transform", "fit_resample")
LIBRARIES = ("sklearn.", "imblearn.")
MAX_HASHED_BYTES = 256 * 2**20
MAX_KEPT_BYTES = 64 * 2**20
MAX_KEPT_IN_ALL = 512 * 2**20
MAX_CALLS = 500
"""Later calls are not recorded, and a note says so: a search over many fits is not how one fit was prepared."""
MAX_TEXT_CELLS = 200_000
"""Text is fingerprinted cell by cell in Python, about a microsecond each."""

_watch: Recorder | None = None
_here = threading.local()
_numbers: dict[int, tuple[weakref.ref[Any], int]] = {}
_spent = {"calls": 0, "bytes": 0, "objects": 0}


def use(recorder: Recorder | None) -> None:
    """Where events go from now on; None stops recording (the wrappers stay and only pass calls on)."""
    global _watch
    if recorder is not _watch:
        _watch = recorder
        _numbers.clear()
        _spent.update(calls=0, bytes=0, objects=0)


def install_base(recorder: Recorder) -> None:
    """Watch every estimator class made from now on, and those already made; for when sklearn.base has run."""
    from sklearn.base import BaseEstimator

    use(recorder)
    if getattr(BaseEstimator.__init_subclass__, "__unstuck__", False):
        return

    def __init_subclass__(cls: Any, /, **kwargs: Any) -> None:  # noqa: N807
        super(BaseEstimator, cls).__init_subclass__(**kwargs)
        _wrap_methods(cls)

    __init_subclass__.__unstuck__ = True  # type: ignore[attr-defined]
    BaseEstimator.__init_subclass__ = classmethod(__init_subclass__)
    for cls in _subclasses(BaseEstimator):
        _wrap_methods(cls)


def install_splits(recorder: Recorder) -> None:
    """Watch `train_test_split`. Call it once sklearn.model_selection has run."""
    from sklearn import model_selection

    use(recorder)
    original = model_selection.train_test_split
    if getattr(original, "__unstuck__", False):
        return

    def train_test_split(*arrays: Any, **options: Any) -> Any:
        return _split(original, arrays, options)

    dressed = wrapped(original, train_test_split)
    model_selection.train_test_split = dressed
    model_selection._split.train_test_split = dressed


def _subclasses(cls: Any) -> set[Any]:
    found = {cls}
    for child in cls.__subclasses__():
        found |= _subclasses(child)
    return found


def _wrap_methods(cls: type) -> None:
    """Wrap plain methods of `cls` and of the library's mixins among its bases; descriptors are left."""
    for owner in cls.__mro__[:-1]:
        if owner is not cls and not owner.__module__.startswith(LIBRARIES):
            continue  # a base that is no estimator, say a Keras model
        for name in METHODS:
            method = owner.__dict__.get(name)
            if isinstance(method, FunctionType) and not getattr(method, "__unstuck__", False):
                setattr(owner, name, _watched(method, name))


def _watched(original: Callable[..., Any], name: str) -> Callable[..., Any]:
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return call_method(original, name, self, args, kwargs)

    return wrapped(original, method)


def call_method(original: Callable[..., Any], name: str, estimator: Any, args: Any, kwargs: Any) -> Any:
    """Call `original` as the script did; record outermost calls of transformers and resamplers."""
    recorder = _watch
    if recorder is None or getattr(_here, "busy", False):
        return original(estimator, *args, **kwargs)
    before = recorder.guard(lambda: _before(recorder, name, estimator, args, kwargs), "flow")
    if before is None and is_user_file(inspect.unwrap(original).__code__.co_filename):
        return original(estimator, *args, **kwargs)  # a trainer of the person's own: its calls are of interest
    _here.busy = True
    try:
        result = original(estimator, *args, **kwargs)
    finally:
        _here.busy = False
    if before is not None:
        recorder.guard(lambda: _after(recorder, before, result), "flow")
    return result


@dataclass(frozen=True)
class _Before:
    """What has to be taken before the call, which may work in place."""

    body: dict[str, Any]
    arrays: dict[str, np.ndarray]
    unfitted: Any


def _before(recorder: Recorder, name: str, estimator: Any, args: Any, kwargs: Any) -> _Before | None:
    site = recorder.site(depth=1)
    if site is None or (name == "fit" and not hasattr(estimator, "transform")) or not _within_limit(recorder):
        return None
    given = [*args[:2], None, None] if args else [kwargs.get("X"), kwargs.get("y"), None]
    x, y = given[0], kwargs.get("y", given[1]) if name != "transform" else None
    body = {
        "operation": name,
        "estimator": type(estimator).__name__,
        "module": type(estimator).__module__,
        "params": _params(estimator),
        "estimator_id": _number(estimator),
        "site": site,
        "labels": y is not None,
        "columns": [str(c) for c in getattr(x, "columns", [])][:1000],
        "left_out": [],
    }
    arrays: dict[str, np.ndarray] = {}
    table = _hash(x, "in", body, arrays)
    body["rows"] = None if table is None else len(table)
    body["width"] = None if table is None else int(np.prod(table.shape[1:]))
    if name != "transform" and recorder.samples:
        _keep(table, "in-x", body, arrays)
        _keep(_bounded(y), "in-y", body, arrays)
    return _Before(body, arrays, None if name == "transform" else _twin(estimator))


def _after(recorder: Recorder, before: _Before, result: Any) -> None:
    body, arrays = before.body, before.arrays
    if body["operation"] != "fit":
        out = result[0] if isinstance(result, tuple) and result else result
        table = _hash(out, "out", body, arrays)
        body["output_rows"] = None if table is None else len(table)
    sequence = recorder.writer.event("flow", body)
    if arrays:
        recorder.writer.arrays(f"flow-{sequence}", arrays)
    if before.unfitted is not None and recorder.samples:
        custom.save(recorder.folder, f"flow-{sequence}", before.unfitted)


def _split(original: Callable[..., Any], arrays: tuple[Any, ...], options: dict[str, Any]) -> Any:
    recorder = _watch
    if recorder is None or getattr(_here, "busy", False):
        return original(*arrays, **options)
    _here.busy = True
    try:
        parts = original(*arrays, **options)
    finally:
        _here.busy = False
    recorder.guard(lambda: _after_split(recorder, recorder.site(depth=1), arrays, options, parts), "split")
    return parts


def _after_split(
    recorder: Recorder, site: Site | None, given: tuple[Any, ...], options: dict[str, Any], parts: Any
) -> None:
    if site is None or not _within_limit(recorder):
        return
    body: dict[str, Any] = {
        "operation": "split",
        "site": site,
        "random_state": repr(options.get("random_state"))[:80],
        "shuffle": bool(options.get("shuffle", True)),
        "stratify": options.get("stratify") is not None,
        "test_size": repr(options.get("test_size"))[:40],
        "arrays": len(given),
        "left_out": [],
    }
    kept: dict[str, np.ndarray] = {}
    tables = [_hash(v, "in" if not i else f"in{i}", body, kept) for i, v in enumerate(given)]
    body["rows"] = None if tables[0] is None else len(tables[0])
    train, other = _hash(parts[0], "part0", body, kept), _hash(parts[1], "part1", body, kept)
    body["parts"] = [None if part is None else len(part) for part in (train, other)]
    if recorder.samples:
        _keep(other, "other-x", body, kept)
        _keep(_bounded(parts[3]) if len(given) > 1 else None, "other-y", body, kept)
    sequence = recorder.writer.event("flow", body)
    recorder.writer.arrays(f"flow-{sequence}", kept)


def _within_limit(recorder: Recorder) -> bool:
    _spent["calls"] += 1
    if _spent["calls"] == MAX_CALLS + 1:
        recorder.writer.event("note", {"text": f"only the first {MAX_CALLS} scikit-learn calls were recorded"})
    return _spent["calls"] <= MAX_CALLS


def _bounded(value: Any) -> np.ndarray | None:
    """`value` as an array if it is small enough to look at; a sparse matrix is judged by its dense size."""
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple) and all(isinstance(n, int) for n in shape):
        if int(np.prod(shape, dtype=np.int64)) * 8 > 2 * MAX_HASHED_BYTES:
            return None
    elif isinstance(value, (list, tuple)) and len(value) > MAX_TEXT_CELLS:
        return None
    array = as_array(value)
    if array is None or array.nbytes > MAX_HASHED_BYTES:
        return None
    return None if array.dtype.kind in "OUS" and array.size > MAX_TEXT_CELLS else array


def _hash(value: Any, name: str, body: dict[str, Any], arrays: dict[str, np.ndarray]) -> np.ndarray | None:
    table = _bounded(value)
    if table is None:
        body["left_out"].append(f"{name}: {type(value).__name__} too large or not a table")
    else:
        arrays[f"{name}-hash"] = row_hashes(table)
    return table


def _keep(table: np.ndarray | None, name: str, body: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
    if table is None:
        return
    if table.nbytes > MAX_KEPT_BYTES or _spent["bytes"] + table.nbytes > MAX_KEPT_IN_ALL:
        body["left_out"].append(f"{name}: {table.nbytes >> 20} MB")
    else:
        _spent["bytes"] += table.nbytes
        arrays[name] = table.astype(str) if table.dtype.kind in "OUS" else table.copy()


def _params(estimator: Any) -> dict[str, str]:
    return {name: repr(value)[:80] for name, value in list(estimator.get_params(deep=False).items())[:40]}


def _number(estimator: Any) -> int:
    """A number for this object that no other object gets, as `id` may once it is gone."""
    entry = _numbers.get(id(estimator))
    if entry is None or entry[0]() is not estimator:
        _spent["objects"] += 1
        entry = (weakref.ref(estimator), _spent["objects"])
        _numbers[id(estimator)] = entry
    return entry[1]


def _twin(estimator: Any) -> Any:
    """The estimator as configured, without what it has learnt; its constructor is not run again."""
    twin = object.__new__(type(estimator))
    learnt = [name for name in vars(estimator) if name.endswith("_") and not name.startswith("_")]
    twin.__dict__.update({name: value for name, value in vars(estimator).items() if name not in learnt})
    return twin
