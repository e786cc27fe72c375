"""Operations in the person's own losses, layers and activations that are undefined for some numbers: log 0, 1 / 0."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from unstuck.finding import Edit, Location
from unstuck.measure.case import Case
from unstuck.measure.code.own_code import OwnCode, functions_named, last_name
from unstuck.measure.setup import Setup

AT_ZERO = frozenset({"log", "log2", "log10", "sqrt", "rsqrt", "reciprocal"})
"""Functions without a value, or without a derivative, at 0 (sqrt: its slope there is infinite)."""
ANGLES = frozenset({"arccos", "acos", "arcsin", "asin"})
"""Their slope is infinite at -1 and 1."""
DIVISIONS = frozenset({"divide", "true_divide"})
GUARDS = frozenset({"clip", "clip_by_value", "clamp", "maximum", "abs", "where", "divide_no_nan", "epsilon", "exp"})
"""What keeps an argument away from the edge."""
MARGIN = "1e-7"
"""keras.config.epsilon(): what Keras's own losses keep away from 0 by."""


@dataclass(frozen=True)
class Operation:
    """One call or division without a guard; `edit` adds `MARGIN` to its argument, where that is enough."""

    name: str
    location: Location
    edit: Edit | None


@dataclass(frozen=True)
class Undefined:
    """The unguarded operations in code of the person's that the model or its loss uses, in order.

    Attributes:
        own: names of their losses, layers and activations in use.
    """

    operations: tuple[Operation, ...]
    own: tuple[str, ...]

    @classmethod
    def of(cls, case: Case) -> Self:
        setup, code = case.get(Setup), case.get(OwnCode)
        names = [setup.loss.name] if setup.loss.custom else []
        names += [layer.kind for layer in setup.layers if not layer.builtin]
        names += [layer.activation for layer in setup.layers if _defined(code, layer.activation)]
        names += [layer.kind for layer in setup.layers if layer.kind == "Lambda"]
        wanted = tuple(dict.fromkeys(names))
        found = [
            _operation(code, file, node, name)
            for file, parsed in code.trees
            for wish in wanted
            for body in _bodies(parsed, wish)
            for name, node in _risky(body)
        ]
        return cls(tuple(found), wanted)


def _defined(code: OwnCode, name: str) -> bool:
    return any(True for _, parsed in code.trees for _ in functions_named(parsed, name))


def _bodies(parsed: ast.Module, name: str) -> Iterator[ast.AST]:
    """Functions and classes of this name, also where the class name was made snake case; the code of Lambda layers."""
    yield from functions_named(parsed, name)
    for node in ast.walk(parsed):
        if isinstance(node, ast.ClassDef) and _snake(node.name) == _snake(name):
            yield node
        elif name == "Lambda" and isinstance(node, ast.Call) and last_name(node.func) == "Lambda":
            yield from node.args


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() and i else c.lower() for i, c in enumerate(name))


def _risky(body: ast.AST) -> Iterator[tuple[str, ast.Call | ast.BinOp]]:
    for node in ast.walk(body):
        if isinstance(node, ast.Call):
            name = last_name(node.func)
            place = 0 if name in AT_ZERO | ANGLES else 1 if name in DIVISIONS else None
            if place is not None and len(node.args) > place and not _guarded(node.args[place]):
                yield name, node
        elif isinstance(node, ast.BinOp):
            if isinstance(node.op, ast.Div) and not _guarded(node.right):
                yield "division", node
            elif isinstance(node.op, ast.Pow) and _fraction(node.right) and not _guarded(node.left):
                yield "power", node


def _guarded(node: ast.expr) -> bool:
    """Whether an argument is a plain number, or has something small added or a bound put on it."""
    if isinstance(node, ast.Constant) or (isinstance(node, ast.UnaryOp) and isinstance(node.operand, ast.Constant)):
        return True
    for inner in ast.walk(node):
        if isinstance(inner, ast.Call) and last_name(inner.func) in GUARDS:
            return True
        if isinstance(inner, ast.BinOp) and isinstance(inner.op, ast.Add):
            return True
        if isinstance(inner, ast.Attribute) and inner.attr in ("shape", "size"):
            return True
    return False


def _fraction(node: ast.expr) -> bool:
    """Whether a power has a slope that is infinite at 0: negative, or between 0 and 1."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return True
    return isinstance(node, ast.Constant) and isinstance(node.value, float) and 0 < node.value < 1


def _operation(code: OwnCode, file: str, node: ast.Call | ast.BinOp, name: str) -> Operation:
    place = code.location(file, node, "undefined at the edge")
    inner: ast.expr | None = None
    if isinstance(node, ast.Call) and name in AT_ZERO:
        inner = node.args[0]
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        inner = node.right
    if inner is None:
        return Operation(name, place, None)
    span = code.location(file, inner)
    text = f"({ast.unparse(inner)} + {MARGIN})" if isinstance(node, ast.BinOp) else f"{ast.unparse(inner)} + {MARGIN}"
    return Operation(name, place, code.sources.replace(span, text))
