"""One figure: a row of `benchmarks/results/*.jsonl`."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Any, Literal

Row = dict[str, Any]


def row(
    name: str,
    values: Sequence[float],
    unit: str,
    *,
    goal: float | None = None,
    better: Literal["higher", "lower"] = "higher",
    note: str = "",
) -> Row:
    """The median of repeated measurements with their range.

    >>> row("answer", [41, 42, 44], "s", goal=50, better="lower")["value"]
    42
    """
    found: Row = {
        "name": name,
        "value": median(values),
        "unit": unit,
        "goal": goal,
        "better": better,
        "n": len(values),
        "spread": [min(values), max(values)],
    }
    return {**found, "note": note} if note else found
