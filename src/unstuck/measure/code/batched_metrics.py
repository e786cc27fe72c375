"""Metric functions of the person's: their value on all recorded rows and averaged over batches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from unstuck.measure.case import Case, Missing


@dataclass(frozen=True)
class BatchedMetrics:
    """By name of the function: (on all rows, mean over batches), both on the recorded training rows."""

    values: Mapping[str, tuple[float, float]]

    @classmethod
    def of(cls, case: Case) -> Self:
        probe = case.fit.probe
        if not probe or probe.get("error"):
            raise Missing("a replay of the recorded weights")
        return cls(
            {
                name: (float(v["whole"]), float(v["batched"]))
                for name, v in (probe.get("metric_functions") or {}).items()
            }
        )
