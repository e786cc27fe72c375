"""A notebook as cells to run."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unstuck.source.ipython import python_of


@dataclass(frozen=True)
class Cell:
    """A code cell. `file` is the name its code runs under: `study.ipynb:cell 4`, the fourth cell of all."""

    file: str
    text: str
    left_out: tuple[str, ...]
    """Lines for IPython that are not run."""


def read_cells(path: Path) -> list[Cell]:
    """The code cells of a notebook in page order.

    Raises:
        ValueError: when the file is no notebook.
    """
    content = json.loads(path.read_text(encoding="utf-8"))
    sheets: list[Any] = [content, *content.get("worksheets", [])]
    cells = [cell for sheet in sheets for cell in sheet.get("cells", [])]
    found = []
    for number, cell in enumerate(cells, 1):
        if cell.get("cell_type") == "code":
            text = cell.get("source", cell.get("input", ""))
            found.append(_cell(f"{path}:cell {number}", "".join(text) if isinstance(text, list) else str(text)))
    return found


def _cell(file: str, text: str) -> Cell:
    lines, left_out = python_of(tuple(text.split("\n")))
    return Cell(file, "\n".join(lines), left_out)


def display(*values: Any, **_: Any) -> None:
    """Stands for IPython's: shows values as text."""
    for value in values:
        print(value)
