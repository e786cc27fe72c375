"""Scripts and notebooks as syntax trees, with the place of each node in its file or cell."""

from __future__ import annotations

import ast
import io
import tokenize
import warnings
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from unstuck.finding import Location
from unstuck.source.ipython import python_of

_MENDED = 8
"""Lines of a notebook cell that may be no Python before the cell is given up."""


@dataclass(frozen=True)
class Cell:
    """A script, or one code cell of a notebook.

    Attributes:
        number: position among all cells of the notebook, from 1; None for a script.
        first: line of the whole program at which it begins, from 1; nodes carry such lines.
        count: its execution count; None if it was not executed.
    """

    lines: tuple[str, ...]
    tree: ast.Module
    number: int | None = None
    first: int = 1
    count: int | None = None


@dataclass(frozen=True)
class Program:
    """A file that was read. `cells` are in the order in which they ran."""

    file: str
    cells: tuple[Cell, ...]
    _starts: list[tuple[int, Cell]] = field(default_factory=list, compare=False)

    def __post_init__(self) -> None:
        self._starts.extend(sorted(((cell.first, cell) for cell in self.cells), key=lambda start: start[0]))

    def location(self, node: ast.AST, label: str = "") -> Location:
        """The span of a node."""
        cell = self.cell_of(node)
        start, end = cell.first - 1, cell.first - 1
        line, last = node.lineno - start, node.end_lineno - end  # type: ignore[attr-defined]
        return Location(
            file=self.file,
            cell=cell.number,
            line=line,
            column=_characters(cell.lines, line, node.col_offset) + 1,  # type: ignore[attr-defined]
            end_line=last,
            end_column=_characters(cell.lines, last, node.end_col_offset) + 1,  # type: ignore[attr-defined]
            label=label,
        )

    def cell_of(self, node: ast.AST) -> Cell:
        first = [start for start, _ in self._starts]
        return self._starts[max(0, bisect_right(first, node.lineno) - 1)][1]  # type: ignore[attr-defined]

    def text(self, place: Location) -> str:
        """The first line of a span."""
        cell = next(cell for cell in self.cells if cell.number == place.cell)
        return cell.lines[place.line - 1].strip() if place.line <= len(cell.lines) else ""

    def sources(self) -> dict[str, tuple[str, ...]]:
        """The lines of the file or of each cell, named as the report names them."""
        names = {c.number: self.file if c.number is None else f"{self.file}:cell {c.number}" for c in self.cells}
        return {names[cell.number]: cell.lines for cell in self.cells}


class Unreadable(Exception):
    """A file that cannot be read as Python; the text says what was seen and what to do, in one line."""


def read(path: Path, shown: str) -> Program:
    """The program in a file.

    Raises:
        Unreadable: for what is no text, no Python, or no notebook.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Unreadable(f"{shown}: cannot be read ({error.strerror}); check that it exists and is yours") from None
    if path.suffix == ".ipynb":
        return Program(shown, _cells(_notebook(content, shown), shown))
    text = _decoded(content, shown)
    return Program(shown, (Cell(_lines(text), _parsed(text, shown)),))


def recorded(file: str, texts: Mapping[int | None, tuple[str, ...]]) -> Program:
    """The program whose text was kept when it ran: a script, by None, or cells of a notebook by their numbers.

    Raises:
        Unreadable: for a script that is no Python; cells that are none are left out.
    """
    found, first = [], 1
    for number, lines in sorted(texts.items(), key=lambda entry: entry[0] or 0):
        try:
            tree = _parsed("\n".join(lines), file)
        except Unreadable:
            if number is None:
                raise
            continue
        ast.increment_lineno(tree, first - 1)
        found.append(Cell(lines, tree, number, first))
        first += len(lines) + 1
    return Program(file, tuple(found) or (Cell((), ast.Module([], [])),))


def _lines(text: str) -> tuple[str, ...]:
    """Lines as Python counts them: a form feed ends none."""
    return tuple(text.removesuffix("\n").split("\n"))


def _decoded(content: bytes, shown: str) -> str:
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        return io.TextIOWrapper(io.BytesIO(content), encoding).read()  # newlines as Python reads them
    except (SyntaxError, UnicodeDecodeError, LookupError) as error:
        said = getattr(error, "reason", None) or getattr(error, "msg", None) or str(error)
        raise Unreadable(
            f"{shown}: not text in its encoding ({said}); save it as UTF-8 or declare its encoding in the first line"
        ) from None


def _parsed(text: str, shown: str, where: str = "") -> ast.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line, column = getattr(error, "lineno", None) or 1, getattr(error, "offset", None) or 1
        said = getattr(error, "msg", None) or str(error) or type(error).__name__
        raise Unreadable(f"{shown}:{where}{line}:{column}: {said}; correct it, or exclude the file") from None


def _notebook(content: bytes, shown: str) -> list[Any]:
    import json  # only for notebooks: scripts start faster without it

    try:
        loaded = json.loads(content)
        cells = loaded.get("cells")
        if cells is None:  # nbformat 3
            cells = [cell for sheet in loaded.get("worksheets", []) for cell in sheet.get("cells", [])]
        if not isinstance(cells, list):
            raise ValueError("no list of cells")
        return cells
    except (ValueError, AttributeError, RecursionError) as error:
        raise Unreadable(f"{shown}: not a notebook ({error}); open it in Jupyter and save it again") from None


def _cells(raw: list[Any], shown: str) -> tuple[Cell, ...]:
    found, first, broken = [], 1, None
    for number, entry in enumerate(raw, 1):
        if not isinstance(entry, Mapping) or entry.get("cell_type") != "code":
            continue
        text = entry.get("source", entry.get("input", ""))
        text = "".join(text) if isinstance(text, list) else str(text)
        lines, _ = python_of(_lines(text.replace("\r\n", "\n")))
        try:
            tree = _mended(lines, shown, f"cell {number}:")
        except Unreadable as error:  # one broken cell does not hide the others
            broken = broken or error
            continue
        ast.increment_lineno(tree, first - 1)
        count = entry.get("execution_count", entry.get("prompt_number"))
        found.append(Cell(lines, tree, number, first, count if isinstance(count, int) else None))
        first += len(lines) + 1
    if broken and not found:
        raise broken
    return in_order(found) if found else (Cell((), ast.Module([], []), 1),)


def _mended(lines: tuple[str, ...], shown: str, where: str) -> ast.Module:
    """The tree of a cell, without lines that are no Python (of Python 2, of a shell): they did not run either."""
    kept = list(lines)
    for _ in range(_MENDED):
        try:
            tree = ast.parse("\n".join(kept))
            if kept == list(lines) or not all(isinstance(statement, ast.Pass) for statement in tree.body):
                return tree
            break
        except SyntaxError as error:
            line = error.lineno or 0
            if not 0 < line <= len(kept) or not kept[line - 1].strip():
                break
            indent = kept[line - 1][: len(kept[line - 1]) - len(kept[line - 1].lstrip())]
            kept[line - 1] = f"{indent}pass"
        except ValueError:
            break
    return _parsed("\n".join(lines), shown, where)


def in_order(cells: list[Cell]) -> tuple[Cell, ...]:
    """The order of execution counts, if the program could have run in it; else the order on the page.

    A cell that was run again later has lost its first count, so the order of counts can be one that never was: it is
    taken only if it reads no more names before they are assigned than the order on the page does.
    """
    page = tuple(cells)
    order, last = [], 0
    for position, cell in enumerate(cells):
        last = cell.count if cell.count is not None else last
        order.append((last, position, cell))
    ran = tuple(cell for _, _, cell in sorted(order, key=lambda entry: entry[:2]))
    if ran == page or _unassigned(ran) > _unassigned(page):
        return page
    return ran


def _unassigned(cells: tuple[Cell, ...]) -> int:
    """How many names are read at the top of a cell before any cell assigned them, of those that some cell assigns."""
    reads, writes = zip(*(_names(cell.tree) for cell in cells), strict=True)
    every = set().union(*writes)
    known: set[str] = set()
    missing = 0
    for read, written in zip(reads, writes, strict=True):
        missing += len((read & every) - known)
        known |= written
    return missing


def _names(tree: ast.Module) -> tuple[set[str], set[str]]:
    """Names that a cell reads before it assigns them itself, and names that it assigns."""
    reads: set[str] = set()
    writes: set[str] = set()
    for statement in tree.body:
        inner = [n for n in ast.walk(statement) if isinstance(n, ast.Name)]
        if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
            writes.add(statement.name)
        else:
            reads |= {n.id for n in inner if isinstance(n.ctx, ast.Load)} - writes
            writes |= {n.id for n in inner if isinstance(n.ctx, ast.Store)}
        if isinstance(statement, (ast.Import, ast.ImportFrom)):
            writes |= {alias.asname or alias.name.partition(".")[0] for alias in statement.names}
    return reads, writes


def _characters(lines: tuple[str, ...], line: int, offset: int) -> int:
    """Column in characters of a UTF-8 byte offset (`ast` counts bytes)."""
    text = lines[line - 1] if line <= len(lines) else ""
    return offset if text.isascii() else len(text.encode()[:offset].decode(errors="replace"))
