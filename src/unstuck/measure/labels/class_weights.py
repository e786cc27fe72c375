"""The class_weight of a fit, as Keras looks it up: by the integer label, 1 for labels it does not find."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from unstuck.measure.case import Case, Missing
from unstuck.measure.labels.class_keys import label_of
from unstuck.measure.task import Task


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
        named = {label_of(key, kind) for key, kind in zip(given, kinds, strict=True)}
        weights = tuple(float(w) for w in given.values())
        return cls(tuple(given), kinds, weights, frozenset(label for label in labels if label in named), labels)
