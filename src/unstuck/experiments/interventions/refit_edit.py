"""Source edits that put the split first and fit transformers on the training part."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from unstuck.finding import Edit, Fix
from unstuck.measure.leakage.provenance import Fitted
from unstuck.measure.setup import Setup


@dataclass(frozen=True)
class _Move:
    """`target = maker.fit_transform(data, labels)`, or `maker.fit(data, labels)` when target is empty."""

    statement: ast.stmt
    target: str
    maker: str
    inline: bool
    data: str
    labels: str


def split_first(setup: Setup, leaks: Sequence[Fitted]) -> Fix:
    """Move the fitting behind the split. A suggestion when every line could be rewritten, else a sketch."""
    plain = [leak.estimator for leak in leaks]
    title = f"split first, then fit the {' and the '.join(dict.fromkeys(plain))} on the training rows"
    edits, complete = _edits(setup, leaks) if leaks else ((), False)
    return Fix(title=title, applicability="suggested" if complete else "sketch", edits=edits)


def _edits(setup: Setup, leaks: Sequence[Fitted]) -> tuple[tuple[Edit, ...], bool]:
    site = leaks[0].split_site
    file = site["file"] if site else None
    if file is None or any((leak.site or {}).get("file") != file for leak in leaks):
        return (), False
    lines = setup.sources.lines.get(file, ())
    try:
        body = ast.parse("\n".join(lines)).body
    except SyntaxError:
        return (), False
    split = _holding(body, setup.sources.call(site))
    moves = [_move(body, setup.sources.call(leak.site)) for leak in leaks]
    parts = _parts(split)
    if split is None or not parts or any(move is None for move in moves):
        return (), False
    known = [move for move in moves if move is not None]
    added = _added(known, parts)
    if added is None:
        return (), False
    shown = setup.sources.shown(file)
    edits = [_deletion(shown, move.statement) for move in known]
    renamed = {move.target: known[0].data for move in known if move.target}
    edits += [_replacement(shown, node, renamed[node.id]) for node in _arguments(split)
              if isinstance(node, ast.Name) and renamed.get(node.id, node.id) != node.id]  # fmt: skip
    end = ((split.end_lineno or split.lineno) + 1, 1)
    edits.append(Edit(file=shown, start=end, end=end, text="".join(f"{line}\n" for line in added)))
    return tuple(edits), not _used_elsewhere(body, known, split)


def _holding(body: Sequence[ast.stmt], call: ast.Call | None) -> ast.stmt | None:
    """The top-level statement a call stands in."""
    if call is None:
        return None
    return next((s for s in body if s.lineno <= call.lineno <= (s.end_lineno or s.lineno)), None)


def _arguments(split: ast.stmt) -> list[ast.expr]:
    value = _value(split)
    return value.args if isinstance(value, ast.Call) else []


def _parts(split: ast.stmt | None) -> dict[str, tuple[str, str]]:
    """For each array that is split, by name: the names of its two parts."""
    if not isinstance(split, ast.Assign) or not isinstance(split.targets[0], ast.Tuple):
        return {}
    names = [element.id for element in split.targets[0].elts if isinstance(element, ast.Name)]
    given = [argument.id for argument in _arguments(split) if isinstance(argument, ast.Name)]
    if len(names) != len(split.targets[0].elts) or len(names) != 2 * len(given):
        return {}
    return {name: (names[2 * i], names[2 * i + 1]) for i, name in enumerate(given)}


def _move(body: Sequence[ast.stmt], call: ast.Call | None) -> _Move | None:
    statement = _holding(body, call)
    if call is None or statement is None or not isinstance(call.func, ast.Attribute) or call.keywords:
        return None
    names = [argument.id for argument in call.args if isinstance(argument, ast.Name)]
    if len(names) != len(call.args) or not 1 <= len(names) <= 2 or not _same(_value(statement), call):
        return None
    target = ""
    if call.func.attr == "fit_transform":
        if not isinstance(statement, ast.Assign) or not isinstance(statement.targets[0], ast.Name):
            return None
        target = statement.targets[0].id
    elif not isinstance(statement, ast.Expr):
        return None
    inline = not isinstance(call.func.value, ast.Name)
    return _Move(statement, target, ast.unparse(call.func.value), inline, names[0], (names[1:] or [""])[0])


def _same(one: ast.expr | None, other: ast.expr) -> bool:
    """Whether two nodes, perhaps of different parses, are the same span."""
    return isinstance(one, type(other)) and _span(one) == _span(other)


def _span(node: ast.expr) -> tuple[int, int, int | None, int | None]:
    return node.lineno, node.col_offset, node.end_lineno, node.end_col_offset


def _value(statement: ast.stmt) -> ast.expr | None:
    return getattr(statement, "value", None)


def _added(moves: Sequence[_Move], parts: dict[str, tuple[str, str]]) -> list[str] | None:
    """The lines that follow the split."""
    last = moves[-1].target or moves[-1].data
    if last not in parts or any(move.labels and move.labels not in parts for move in moves):
        return None
    train, other = parts[last]
    lines = []
    for number, move in enumerate(moves):
        maker = move.maker
        if move.inline:
            maker = "transformer" if len(moves) == 1 else f"transformer_{number + 1}"
            lines.append(f"{maker} = {move.maker}")
        labels = f", {parts[move.labels][0]}" if move.labels else ""
        if move.target:
            lines.append(f"{train} = {maker}.fit_transform({train}{labels})")
            lines.append(f"{other} = {maker}.transform({other})")
        else:
            lines.append(f"{maker}.fit({train}{labels})")
    return lines


def _used_elsewhere(body: Sequence[ast.stmt], moves: Sequence[_Move], split: ast.stmt) -> bool:
    """Whether the transformed table is also read by other statements, before its name is given to a part of it."""
    own = {id(move.statement) for move in moves} | {id(split)}
    targets = {move.target for move in moves} - {""}
    first = min(move.statement.lineno for move in moves)
    rebound = {name for parts in _parts(split).values() for name in parts}
    for statement in (s for s in body if s.lineno > first and id(s) not in own):
        wanted = targets if statement.lineno < split.lineno else targets - rebound
        if any(isinstance(node, ast.Name) and node.id in wanted for node in ast.walk(statement)):
            return True
    return False


def _deletion(file: str, statement: ast.stmt) -> Edit:
    return Edit(
        file=file, start=(statement.lineno, 1), end=((statement.end_lineno or statement.lineno) + 1, 1), text=""
    )


def _replacement(file: str, node: Any, text: str) -> Edit:
    start, end = (node.lineno, node.col_offset + 1), (node.end_lineno, node.end_col_offset + 1)
    return Edit(file=file, start=start, end=end, text=text)
