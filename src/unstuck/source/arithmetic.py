"""Operators on constants, on rows, on statistics of rows and on tensors."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from unstuck.source import calls
from unstuck.source.merging import as_data, below, beside
from unstuck.source.reader import Reader
from unstuck.source.rows import apart
from unstuck.source.values import Const, Data, Items, Mask, Names, Score, Statistic, Thing, Value

_PIXELS = (255, 127.5)
"""A division by one of these brings pixels to 0 to 1, or to 0 to 2."""
_POWER = 64
"""Exponents that are computed; larger ones are no setting of a network."""
_OPERATORS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
}


def combined(reader: Reader, op: ast.operator, left: Value, right: Value, node: ast.AST) -> Value:
    """`left op right`."""
    if isinstance(op, ast.Div) and isinstance(right, Const) and right.value in _PIXELS:
        pixels = as_data(left)
        if pixels is not None:
            return replace(pixels, rescaled=node)
    if isinstance(left, Const) and isinstance(right, Const):
        return _computed(reader, op, left.value, right.value)
    if isinstance(op, ast.Add) and isinstance(left, Items) and isinstance(right, Items):
        return Items([*left.items, *right.items])
    if isinstance(left, Score) or isinstance(right, Score):
        return left if isinstance(left, Score) else right
    if isinstance(op, ast.Mult) and isinstance(left, Items) and isinstance(right, Const):
        return Items(left.items * 2) if right.value not in (0, 1) else left  # twice stands for however often
    if isinstance(left, Statistic) or isinstance(right, Statistic):
        return calls.with_statistics(left, right, node) or reader.unknown()
    for one, other in ((left, right), (right, left)):
        if isinstance(one, (Mask, Names)):
            return one
        if type(one) is Thing and one.origin is not None and isinstance(other, Const):
            return one  # x / 255
    tensors = calls.tensor_of(left, right)
    if tensors is not None:
        return tensors
    if isinstance(left, Data) and isinstance(right, Data) and apart(left.rows, right.rows):
        return below([left, right]) or left  # list(train) + list(test): arithmetic on other rows would mean nothing
    sides = [side if isinstance(side, Data) else None for side in (left, right)]
    made = beside(sides)
    if made is not None and made.coding == "numbers":
        made = replace(made, coding="")  # on another scale
    return made or reader.unknown()


def _computed(reader: Reader, op: ast.operator, left: Any, right: Any) -> Value:
    plain = isinstance(left, (int, float)) and isinstance(right, (int, float))
    text = isinstance(op, ast.Add) and isinstance(left, str) and isinstance(right, str)
    huge = isinstance(op, (ast.Pow, ast.LShift)) and plain and abs(right) > _POWER
    if (plain or text) and type(op) in _OPERATORS and not huge:
        try:
            return Const(_OPERATORS[type(op)](left, right))
        except (ArithmeticError, ValueError):
            pass
    return reader.unknown()


def compared(reader: Reader, ops: Sequence[ast.cmpop], values: Sequence[Value]) -> Value:
    """`left < right`: a constant, or a truth value for each row."""
    first, second = values[0], values[1]
    if len(values) == 2 and isinstance(first, Const) and isinstance(second, Const):
        compare = _COMPARISONS.get(type(ops[0]))
        try:
            return Const(compare(first.value, second.value)) if compare else reader.unknown()
        except TypeError:
            return reader.unknown()
    calls.compared(values)
    rows = beside([v if isinstance(v, Data) else None for v in values])
    return replace(rows, coding="") if rows is not None else Mask()
