"""The metrics that were compiled, with what decides how they count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from unstuck.measure.case import Case

BY_THRESHOLD = frozenset(
    {"accuracy", "acc", "binary_accuracy", "precision", "recall", "BinaryAccuracy", "Precision", "Recall"}
)
"""Metrics that count an output as 1 from a threshold on, 0.5 unless told otherwise, where the labels are 0 and 1."""


@dataclass(frozen=True)
class Metric:
    """One metric: the name or class it was given by, the name Keras prints, and its threshold if it has one."""

    kind: str
    name: str
    threshold: float | None


@dataclass(frozen=True)
class Metrics:
    entries: tuple[Metric, ...]

    @classmethod
    def of(cls, case: Case) -> Self:
        settings = case.fit.body["model"].get("compile") or {}
        chosen = settings.get("config") if "class_name" in settings else settings
        given = [*_leaves((chosen or {}).get("metrics")), *_leaves((chosen or {}).get("weighted_metrics"))]
        return cls(tuple(_metric(entry) for entry in given))


def _metric(entry: Any) -> Metric:
    if isinstance(entry, str):
        return Metric(entry, entry, 0.5 if entry in BY_THRESHOLD else None)
    kind, config = str(entry.get("class_name", "")), entry.get("config")
    config = config if isinstance(config, dict) else {"name": config}
    given = config.get("threshold", config.get("thresholds"))
    threshold = given if isinstance(given, (int, float)) else 0.5 if given is None and kind in BY_THRESHOLD else None
    return Metric(kind, str(config.get("name", kind)), threshold)


def _leaves(value: Any) -> list[Any]:
    if isinstance(value, dict) and "class_name" not in value:
        return [leaf for item in value.values() for leaf in _leaves(item)]
    if isinstance(value, (list, tuple)):
        return [leaf for item in value for leaf in _leaves(item)]
    return [] if value is None else [value]
