"""A notebook as cells to run: Python source with what only IPython understands taken out, line by line."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# %magic, !shell, help with ?, and `name = !shell` or `name = %magic`.
_MAGIC = re.compile(r"^(\s*)(?:[\w, ]+=\s*)?(?:[%!]|\?|[\w.]+\?\??\s*$)")
_OTHER_LANGUAGE = re.compile(r"^\s*%%(?!time\b|timeit\b|capture\b|prun\b)")
MAGICS_THAT_SHOW = re.compile(r"^\s*%(matplotlib|load_ext|config|time|timeit|pylab)\b")


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
    lines = text.split("\n")
    head = next((line for line in lines if line.strip()), "")
    if _OTHER_LANGUAGE.match(head):
        return Cell(file, "\n" * (len(lines) - 1), (head,))
    kept, left_out = [], []
    for line in lines:
        magic = _MAGIC.match(line)
        kept.append(f"{magic[1]}pass" if magic else line)
        if magic and not MAGICS_THAT_SHOW.match(line):
            left_out.append(line.strip())
    return Cell(file, "\n".join(kept), tuple(left_out))
