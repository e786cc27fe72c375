"""Which label a key of class_weight stands for, as Keras looks it up: by the integer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NUMBERS = ("int", "float", "bool", "int8", "int16", "int32", "int64", "uint8", "float32", "float64")
"""Types of keys that are equal to an integer label, and hash like one; `"1"` is not 1."""


def label_of(key: str, kind: str) -> int | None:
    """The label that a recorded key stands for, None when no label can be found under it.

    >>> label_of("1", "int"), label_of("1.0", "float"), label_of("1", "str"), label_of("1.5", "float")
    (1, 1, None, None)
    """
    if kind not in NUMBERS:
        return None
    number = {"True": 1.0, "False": 0.0}[key] if key in ("True", "False") else float(key)
    return int(number) if number.is_integer() else None


def weights_by_label(body: Mapping[str, Any]) -> dict[str, float] | None:
    """The class weights of a recorded fit that Keras can find, by label; None when there are none."""
    given = body.get("class_weight") or {}
    kinds = body.get("class_weight_keys") or ("int",) * len(given)
    found = {label_of(key, kind): float(w) for (key, w), kind in zip(given.items(), kinds, strict=True)}
    return {str(label): weight for label, weight in found.items() if label is not None} or None
