"""Run groups of measurements, print a table each, keep the rows: `python -m benchmarks bench|quality [GROUP ...]`."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.row import Row

GROUPS = {
    "bench": ("engine", "recorder", "leakage", "check"),
    "quality": ("engine", "kill", "faults", "rules", "leakage", "corpus"),
}
RESULTS = Path(__file__).parent / "results"


def main(kind: str, groups: list[str]) -> None:
    unknown = sorted(set(groups) - set(GROUPS.get(kind, ())))
    if kind not in GROUPS or unknown:
        valid = "; ".join(f"{name}: {', '.join(found)}" for name, found in GROUPS.items())
        sys.exit(f"no such group: {kind} {' '.join(unknown)}. Valid are {valid}.")
    for group in groups or GROUPS[kind]:
        rows = []
        with (_opened(kind, group)).open("w") as file:
            for row in getattr(importlib.import_module(f"benchmarks.{group}"), kind)():
                rows.append(row)
                file.write(json.dumps(row) + "\n")
                file.flush()
                Console(stderr=True).print(f"{row['name']}: {row['value']:.4g} {row['unit']}", highlight=False)
        _show(kind, group, rows)


def _opened(kind: str, group: str) -> Path:
    RESULTS.mkdir(exist_ok=True)
    return RESULTS / f"{kind}-{group}.jsonl"


def _show(kind: str, group: str, rows: list[Row]) -> None:
    table = Table("figure", "value", "unit", "goal", "spread", "n", title=f"{kind} {group}")
    for row in rows:
        low, high = row.get("spread") or (row["value"], row["value"])
        goal = row.get("goal")
        sign = {"higher": "≥", "lower": "≤"}.get(row.get("better", ""), "")
        table.add_row(
            row["name"],
            f"{row['value']:.4g}",
            row["unit"],
            "" if goal is None else f"{sign} {goal:g}",
            f"{low:.3g} to {high:.3g}",
            str(row.get("n", 1)),
        )
    Console(width=110).print(table)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "", sys.argv[2:])
