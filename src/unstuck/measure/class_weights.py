"""The class_weight of a fit, as Keras looks it up: by the integer label, 1 for labels it does not find."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from unstuck.measure.case import Case, Missing
from unstuck.measure.task import Task

NUMBERS = ("int", "float", "bool", "int8", "int16", "int32", "int64", "uint8", "float32", "float64")
"""Types of keys that are equal to an integer label, and hash like one; `"1"` is not 1."""


@dataclass(frozen=True)
class ClassWeights:
    """Keys in the order given.

    Attributes:
        keys: as text. kinds: their types. weights: their values.
        found: the labels that have a weight. labels: the labels there are.
    """

    keys: tuple[str, ...]
    kinds: tuple[str, ...]
    weights: tuple[float, ...]
    found: frozenset[int]
    labels: frozenset[int]

    @classmethod
    def of(cls, case: Case) -> Self:
        given, task = case.fit.body.get("class_weight") or {}, case.get(Task)
        kinds = tuple(case.fit.body.get("class_weight_keys") or ("int",) * len(given))
        if not given:
            raise Missing("class weights")
        if not task.is_classes:
            raise Missing("labels that are classes")
        labels = frozenset(int(label) for label in task.y)
        numbers = [_number(key) for key, kind in zip(given, kinds, strict=True) if kind in NUMBERS]
        found = frozenset(int(n) for n in numbers if n is not None and n in labels)
        return cls(tuple(given), kinds, tuple(float(w) for w in given.values()), found, labels)


def _number(key: str) -> float | None:
    try:
        return {"True": 1.0, "False": 0.0}.get(key) if key in ("True", "False") else float(key)
    except ValueError:
        return None
