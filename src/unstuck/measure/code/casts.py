"""Expressions in the recorded source that cut a fraction to a whole number."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Self

from unstuck.finding import Location
from unstuck.measure.case import Case
from unstuck.measure.code.source import Sources

WHOLE = frozenset({"uint8", "int8", "uint16", "int16", "uint32", "int32", "int64", "uint64", "int"})
SCALE = 100
"""Divisors from which `//` on an array is meant to scale it; smaller ones halve sizes and count batches."""


@dataclass(frozen=True)
class Cut:
    """One such expression, as it is written."""

    text: str
    location: Location


@dataclass(frozen=True)
class Casts:
    """`(x / 255).astype("uint8")`, `np.uint8(x / 255)` and `x // 255` in the file that calls fit."""

    cuts: tuple[Cut, ...]

    @classmethod
    def of(cls, case: Case) -> Self:
        sources = case.get(Sources)
        file = case.file
        parsed = sources.tree(file)
        return cls(tuple(Cut(ast.unparse(node), sources.span(file, node)) for node in ast.walk(parsed) if _cuts(node)))


def _cuts(node: ast.AST) -> bool:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.FloorDiv):
        return isinstance(node.right, ast.Constant) and isinstance(node.right.value, int) and node.right.value >= SCALE
    if not isinstance(node, ast.Call) or not node.args:
        return False
    if isinstance(node.func, ast.Attribute) and node.func.attr == "astype":
        return _whole(node.args[0]) and _divides(node.func.value)
    return _whole(node.func) and _divides(node.args[0])


def _whole(kind: ast.expr) -> bool:
    name = kind.value if isinstance(kind, ast.Constant) else getattr(kind, "attr", getattr(kind, "id", ""))
    return name in WHOLE


def _divides(node: ast.expr) -> bool:
    """Whether the outermost operation is a division by a number; rounding in between is meant."""
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)
