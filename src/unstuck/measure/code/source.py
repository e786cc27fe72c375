"""Spans in the recorded source: which argument of which call, to point at and to edit."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

from unstuck.finding import Edit, Location
from unstuck.measure.case import Case


def notebook_cell(file: str) -> tuple[str, int | None]:
    """A recorded file name as file and cell.

    >>> notebook_cell("study.ipynb:cell 4"), notebook_cell("train.py")
    (('study.ipynb', 4), ('train.py', None))
    """
    name, found, number = file.rpartition(":cell ")
    return (name, int(number)) if found and number.isdigit() else (file, None)


@lru_cache(maxsize=64)
def _tree(text: str) -> ast.Module:
    try:
        return ast.parse(text)
    except SyntaxError:
        return ast.Module([], [])


@lru_cache(maxsize=64)
def _calls(text: str) -> tuple[ast.Call, ...]:
    return tuple(node for node in ast.walk(_tree(text)) if isinstance(node, ast.Call))


def called(call: ast.Call) -> str:
    """The last name of what is called: `fit` in `model.fit(x)`; "" where it has none.

    >>> called(ast.parse("model.fit(x)", mode="eval").body)
    'fit'
    """
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


@dataclass(frozen=True)
class Sources:
    """The text of the person's files as they were when they ran."""

    lines: Mapping[str, tuple[str, ...]]
    root: str

    @classmethod
    def of(cls, case: Case) -> Self:
        return cls(case.run.sources, str(case.run.meta.get("cwd", "")))

    def shown(self, file: str) -> str:
        """The file name for people: relative to where the run was started, if it lies below."""
        path = Path(file)
        return str(path.relative_to(self.root)) if self.root and path.is_relative_to(self.root) else file

    def location(self, site: Mapping[str, Any] | None, label: str = "") -> Location | None:
        """The whole call at a recorded site."""
        if not site:
            return None
        file, cell = notebook_cell(site["file"])
        return Location(
            file=self.shown(file),
            cell=cell,
            line=site["line"],
            column=site.get("column") or 1,
            end_line=site.get("end_line"),
            end_column=site.get("end_column"),
            label=label,
        )

    def call(self, site: Mapping[str, Any] | None) -> ast.Call | None:
        """The call expression at a recorded site, if the source is at hand."""
        if not site or site["file"] not in self.lines:
            return None
        calls = _calls("\n".join(self.lines[site["file"]]))
        lines = self.lines[site["file"]]
        at = (site["line"], site.get("column") or 1)
        found = [c for c in calls if (c.lineno, _characters(lines[c.lineno - 1], c.col_offset) + 1) == at]
        end = (site.get("end_line"), site.get("end_column"))
        exact = [
            c
            for c in found
            if (c.end_lineno, _characters(lines[(c.end_lineno or c.lineno) - 1], c.end_col_offset or 0) + 1) == end
        ]
        return next(iter(exact or found), None)

    def tree(self, file: str) -> ast.Module:
        """The syntax tree of a file; empty when it is not at hand or is no Python."""
        return _tree("\n".join(self.lines.get(file, ())))

    def calls(self, file: str) -> list[ast.Call]:
        """All calls in a file, in the order in which they stand there."""
        return sorted(_calls("\n".join(self.lines.get(file, ()))), key=lambda call: (call.lineno, call.col_offset))

    def calls_named(self, file: str, name: str) -> list[dict[str, Any]]:
        """Sites of all calls of `name` (`Dense(...)`, `layers.Dense(...)`, `model.compile(...)`) in a file, in order.

        For runs whose layers were built before the recorder came: a call is theirs only if the numbers agree.
        """
        found = []
        for node in self.calls(file):
            if called(node) == name:
                span = self.span(file, node, "")
                found.append(
                    {
                        "file": file,
                        "line": span.line,
                        "column": span.column,
                        "end_line": span.end_line,
                        "end_column": span.end_column,
                    }
                )
        return found

    def keras_name(self, file: str) -> str:
        """What Keras is called in a file: `keras`, `tf.keras`, an alias; "" when it has no name there.

        An edit that needs a Keras class must use this name, and cannot be written exactly without one.
        """
        for node in ast.walk(self.tree(file)):
            if isinstance(node, ast.Import):
                names = {alias.name: alias.asname for alias in node.names}
                if "keras" in names:
                    return names["keras"] or "keras"
                if "tensorflow" in names:
                    return f"{names['tensorflow'] or 'tensorflow'}.keras"
            elif isinstance(node, ast.ImportFrom) and node.module == "tensorflow":
                for alias in node.names:
                    if alias.name == "keras":
                        return alias.asname or "keras"
        return ""

    def argument(
        self,
        site: Mapping[str, Any] | None,
        name: str,
        position: int | None = None,
        *,
        label: str = "",
        whole: bool = False,
    ) -> Location | None:
        """The span of one argument of the call at `site`; with `whole`, of `name=value` together.

        Args:
            site: a recorded call site.
            name: keyword name of the argument.
            position: its place when it is given without a keyword, from 0.
            label: what to say about it.
            whole: include the keyword itself.
        """
        call = self.call(site)
        if call is None or site is None:
            return None
        node: ast.AST | None = None
        for keyword in call.keywords:
            if keyword.arg == name:
                node = keyword if whole else keyword.value
        if node is None and position is not None and position < len(call.args):
            if any(isinstance(a, ast.Starred) for a in call.args[: position + 1]):
                return None
            node = call.args[position]
        return self.span(site["file"], node, label) if node is not None else None

    def span(self, file: str, node: Any, label: str = "") -> Location:
        """The span of a syntax node of a recorded file."""
        lines = self.lines[file]
        name, cell = notebook_cell(file)
        return Location(
            file=self.shown(name),
            cell=cell,
            line=node.lineno,
            column=_characters(lines[node.lineno - 1], node.col_offset) + 1,
            end_line=node.end_lineno,
            end_column=_characters(lines[node.end_lineno - 1], node.end_col_offset) + 1,
            label=label,
        )

    def origin(self, place: Location | None) -> Location | None:
        """Where the name that stands at `place` got its value last, above it in the same function or module."""
        last = self._assignment(place)
        return None if last is None else self.span(self._file(place), last, f"{self.text(place)} comes from here")

    def made_by(self, place: Location | None) -> dict[str, Any] | None:
        """The call that the name at `place` stands for, `opt = Adam(0.01)`, as a call site."""
        last = self._assignment(place)
        if not isinstance(last, (ast.Assign, ast.AnnAssign)) or not isinstance(last.value, ast.Call):
            return None
        target = last.target if isinstance(last, ast.AnnAssign) else last.targets[0]
        file = self._file(place)
        return place_as_site(self.span(file, last.value), {"file": file}) if isinstance(target, ast.Name) else None

    def _assignment(self, place: Location | None) -> ast.stmt | None:
        name, file = self.text(place), self._file(place)
        if place is None or not name.isidentifier():
            return None
        functions = [n for n in ast.walk(self.tree(file)) if isinstance(n, ast.FunctionDef) and _holds(n, place.line)]
        scope = functions[-1] if functions else self.tree(file)
        made = [n for n in _own_statements(scope) if _assigns(n, name) and (n.end_lineno or n.lineno) < place.line]
        return max(made, key=lambda n: n.lineno, default=None)

    def text(self, place: Location | None) -> str:
        """The source text of a single-line span."""
        if place is None or place.end_column is None or place.end_line not in (None, place.line):
            return ""
        lines = self.lines.get(self._file(place), ())
        return lines[place.line - 1][place.column - 1 : place.end_column - 1] if place.line <= len(lines) else ""

    def _file(self, place: Location | None) -> str:
        """The recorded file that a place is in, "" when none is."""
        if place is None:
            return ""
        name = place.file if place.cell is None else f"{place.file}:cell {place.cell}"
        return next((file for file in (name, str(Path(self.root) / name)) if file in self.lines), "")

    def replace(self, place: Location | None, text: str) -> Edit | None:
        """An edit that puts `text` in place of a span; None in a notebook, whose cells edits cannot name."""
        if place is None or place.end_column is None or place.cell is not None:
            return None
        return Edit(
            file=place.file,
            start=(place.line, place.column),
            end=(place.end_line or place.line, place.end_column),
            text=text,
        )

    def set_argument(
        self, site: Mapping[str, Any] | None, name: str, text: str, position: int | None = None
    ) -> Edit | None:
        """Give an argument another value, adding `name=text` at the end of the call when it is absent."""
        found = self.argument(site, name, position)
        if found is not None:
            return self.replace(found, text)
        call = self.call(site)
        if call is None or site is None or any(k.arg is None for k in call.keywords):
            return None
        end = self.span(site["file"], call, "")
        last = max(
            [*call.args, *[k.value for k in call.keywords]],
            key=lambda n: (n.end_lineno, n.end_col_offset),
            default=None,
        )
        if last is None:
            at = (end.end_line or end.line, (end.end_column or 1) - 1)
            return Edit(file=end.file, start=at, end=at, text=f"{name}={text}")
        span = self.span(site["file"], last, "")
        at = (span.end_line or span.line, span.end_column or 1)
        return Edit(file=end.file, start=at, end=at, text=f", {name}={text}")


def _characters(line: str, offset: int) -> int:
    """Column in characters of a UTF-8 byte offset (`ast` counts bytes)."""
    return len(line.encode()[:offset].decode(errors="replace"))


def _holds(node: ast.FunctionDef, line: int) -> bool:
    return node.lineno <= line <= (node.end_lineno or node.lineno)


def _own_statements(scope: ast.Module | ast.FunctionDef) -> Iterator[ast.stmt]:
    """Statements of a scope, those inside loops and branches too, without those of functions and classes in it."""
    waiting: list[ast.AST] = list(scope.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        if isinstance(node, ast.stmt):
            yield node
            waiting += list(ast.iter_child_nodes(node))
        elif isinstance(node, (ast.ExceptHandler, ast.match_case)):
            waiting += node.body


def _assigns(node: ast.stmt, name: str) -> bool:
    targets = node.targets if isinstance(node, ast.Assign) else []
    if isinstance(node, (ast.AugAssign, ast.AnnAssign)):
        targets = [node.target]
    found = [part for target in targets for part in ast.walk(target)]
    stored = [part.id for part in found if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)]
    changed = [t.value.id for t in targets if isinstance(t, ast.Subscript) and isinstance(t.value, ast.Name)]
    return name in stored or name in changed


def place_as_site(place: Location, outer: Mapping[str, Any]) -> dict[str, Any]:
    """A span inside the call at `outer` as a call site of its own."""
    return {
        "file": outer["file"],
        "line": place.line,
        "column": place.column,
        "end_line": place.end_line,
        "end_column": place.end_column,
    }
