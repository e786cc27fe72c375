"""Labelled programs for the source witness: each text file holds notebooks and scripts in the manner of public ones.

`=== name.ipynb` begins a program, `@exec 2 1` after it gives the order its cells were run in, `---` ends a cell. A line
that ends in `#!302` is a leak that must be found, as LEK302; `#?305` may be called one. They were written by us, before
the reader of that day had seen them, and it was mended after: they show that nothing is lost, not how it will do.
"""

from __future__ import annotations

import json
import re
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.row import Row, row
from unstuck.source.check import Asked, check_file

PROGRAMS = Path(__file__).parent
FAMILIES = {
    "LEK302": "preprocessing",
    "LEK303": "preprocessing",
    "LEK201": "overlap",
    "LEK204": "overlap",
    "LEK205": "overlap",
    "LEK301": "overlap",
    "LEK203": "time order",
    "LEK304": "folds",
    "LEK305": "test set chooses",
}
"""What published analysers tell apart; other leaks are found in no program here, and count as wrong."""
LABEL = re.compile(r"\s*#([!?])(\d+)\s*$")
GOAL, SECONDS_GOAL = 0.95, 0.1


@dataclass(frozen=True)
class Labelled:
    """A program, the families of leaks that it has, and those that it may be said to have."""

    name: str
    text: str
    required: frozenset[str]
    allowed: frozenset[str]


def programs() -> Iterator[Labelled]:
    for path in sorted(PROGRAMS.glob("*.txt")):
        for block in re.split(r"^=== ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
            head, body = block.split("\n", 1)
            labels = {"!": set[str](), "?": set[str]()}
            for line in body.splitlines():
                if found := LABEL.search(line):
                    labels[found[1]].add(FAMILIES[f"LEK{found[2]}"])
            cells = ["\n".join(LABEL.sub("", line) for line in cell.splitlines()) for cell in body.split("---\n")]
            name, *order = head.replace("@exec", "").split()
            text = _notebook(cells, [int(number) for number in order]) if name.endswith(".ipynb") else cells[0] + "\n"
            yield Labelled(name, text, frozenset(labels["!"]), frozenset(labels["!"] | labels["?"]))


def _notebook(cells: list[str], order: list[int]) -> str:
    numbers = order or range(1, len(cells) + 1)
    body = [
        {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": n, "source": cell.splitlines(True)}
        for n, cell in zip(numbers, cells, strict=True)
    ]
    return json.dumps({"cells": body, "metadata": {}, "nbformat": 4, "nbformat_minor": 4})


def quality() -> Iterator[Row]:
    """Precision and recall by family and program, and seconds a program."""
    right, wrong, missed = Counter[str](), Counter[str](), Counter[str]()
    seconds, stories = [], []
    with tempfile.TemporaryDirectory() as folder:
        for program in programs():
            file = Path(folder) / program.name
            file.write_text(program.text, encoding="utf-8")
            began = time.process_time()
            checked = check_file(file, Asked(only=("LEK",)))
            seconds.append(time.process_time() - began)
            said = {FAMILIES.get(f.code, f.code) for f in checked.findings if f.confidence != "possible"}
            right.update(said & program.required)
            wrong.update(said - program.allowed)
            missed.update(program.required - said)
            if said - program.allowed or program.required - said:
                stories.append((program, said))
    for family in sorted({*right, *wrong, *missed}):
        for name, others in (("precision", wrong), ("recall", missed)):
            total = right[family] + others[family]
            if total:
                note = f"{right[family]} of {total} programs of ours"
                yield row(f"source witness, {family}, {name}", [right[family] / total], "share", goal=GOAL, note=note)
    yield row("source witness, processor time", seconds, "s", goal=SECONDS_GOAL, better="lower", note="a program")
    for program, said in stories:
        note = f"said {', '.join(sorted(said)) or 'nothing'}; has {', '.join(sorted(program.required)) or 'nothing'}"
        yield row(f"source witness, wrong on {program.name}", [0], "right", note=note)
