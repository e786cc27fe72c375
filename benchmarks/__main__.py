"""Run groups of measurements, print a table each, keep the rows: `python -m benchmarks bench|quality [GROUP ...]`."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

import unstuck
from benchmarks.row import Row

GROUPS = {
    "bench": ("engine", "recorder", "leakage", "check"),
    "quality": ("engine", "kill", "faults", "rules", "leakage", "corpus"),
}
RESULTS = Path(__file__).parent / "results"
VERSIONS = RESULTS / "versions.jsonl"
"""What each version of ours reached, with the command; a later version adds lines, none is taken away."""


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
        if kind == "quality":
            keep(group, rows)
        write_page = getattr(importlib.import_module(f"benchmarks.{group}"), "write_page", None)
        if write_page:
            write_page()


def _opened(kind: str, group: str) -> Path:
    RESULTS.mkdir(exist_ok=True)
    return RESULTS / f"{kind}-{group}.jsonl"


def keep(group: str, rows: list[Row], file: Path = VERSIONS) -> None:
    """Keep the figures that have a goal in the line of this version; a line is replaced when it is measured again."""
    line = {
        "version": unstuck.__version__,
        "command": f"make quality ONLY={group}",
        "figures": {row["name"]: round(row["value"], 4) for row in rows if row.get("goal") is not None},
    }
    known = [json.loads(text) for text in file.read_text().splitlines()] if file.exists() else []
    others = [old for old in known if (old["version"], old["command"]) != (line["version"], line["command"])]
    file.write_text("".join(f"{json.dumps(one)}\n" for one in [*others, line]))


def _show(kind: str, group: str, rows: list[Row]) -> None:
    table = Table("figure", "value", "unit", "goal", "spread", "n", "of what", title=f"{kind} {group}")
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
            row.get("note", ""),
        )
    Console(width=140).print(table)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "", sys.argv[2:])
