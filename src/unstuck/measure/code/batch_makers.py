"""The person's generators and data sets in the recorded source, and those that make the same batch every time."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Self

from unstuck.finding import Location
from unstuck.measure.case import Case
from unstuck.measure.code.own_code import names_read
from unstuck.measure.code.source import Sources

DRAWING = frozenset({"choice", "randint", "integers", "permutation", "sample", "shuffle", "random", "rand", "randn"})
"""Calls that draw rows at random."""


@dataclass(frozen=True)
class FixedMaker:
    """A function that chooses its rows once: `drawn` is the variable that holds them, "" for an unused batch number."""

    drawn: str
    location: Location


@dataclass(frozen=True)
class BatchMakers:
    """Generators that choose rows before `while True`, and `__getitem__` methods that ignore the number they get."""

    fixed: tuple[FixedMaker, ...]

    @classmethod
    def of(cls, case: Case) -> Self:
        sources = case.get(Sources)
        found = []
        for file in sources.lines:
            for node in ast.walk(sources.tree(file)):
                drawn = _fixed(node)
                if drawn is not None:
                    found.append(FixedMaker(drawn[0], sources.span(file, drawn[1])))
        return cls(tuple(found))


def _fixed(node: ast.AST) -> tuple[str, ast.AST] | None:
    if not isinstance(node, ast.FunctionDef):
        return None
    if node.name == "__getitem__":
        return _ignored_number(node)
    for loop in (n for n in ast.walk(node) if isinstance(n, ast.While)):
        for made in (n for n in ast.walk(loop) if isinstance(n, ast.Yield)):
            drawn = _chosen_before(node, loop) & (names_read(made) - _stored(loop))
            if drawn and not _draws(made):
                return sorted(drawn)[0], made
    return None


def _ignored_number(method: ast.FunctionDef) -> tuple[str, ast.AST] | None:
    if len(method.args.args) < 2 or any(_draws(statement) for statement in method.body):
        return None
    number = method.args.args[1].arg
    read = set().union(*(names_read(statement) for statement in method.body))
    return None if number in read else ("", method.args.args[1])


def _chosen_before(function: ast.FunctionDef, loop: ast.While) -> set[str]:
    """Variables of the function that hold a choice of rows made before the loop."""
    found: set[str] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and node.lineno < loop.lineno:
            chosen = _draws(node.value) or any(isinstance(n, ast.Subscript) for n in ast.walk(node.value))
            if chosen or names_read(node.value) & found:
                found |= _stored(node)
    return found


def _stored(node: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


def _draws(node: ast.AST) -> bool:
    calls = [n.func for n in ast.walk(node) if isinstance(n, ast.Call)]
    return any(getattr(called, "attr", getattr(called, "id", "")) in DRAWING for called in calls)
