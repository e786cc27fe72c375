"""Operations that no gradient passes: a small move of their input changes nothing, or makes a jump."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from unstuck.measure.code.own_code import calls_in

STEPS = frozenset(
    {
        "round",
        "rint",
        "argmax",
        "argmin",
        "argsort",
        "sign",
        "floor",
        "ceil",
        "trunc",
        "cast",
        "astype",
        "one_hot",
        "digitize",
        "greater",
        "less",
        "equal",
        "not_equal",
        "greater_equal",
        "less_equal",
        "logical_and",
        "logical_or",
        "logical_not",
    }
)
"""Functions of keras.ops and NumPy whose derivative is 0 wherever it exists (catalogue OUT118, NET103)."""
DETACHING = frozenset({"stop_gradient", "numpy", "convert_to_numpy", "detach"})
"""Functions whose result keeps no connection to their input (catalogue NET104)."""


def is_step(operation: str, dtype: str = "") -> bool:
    """Whether an operation of keras.ops, by its class name (`Round`, `Argmax`), is one that steps.

    A cast to another floating type passes the gradient on.
    """
    name = "".join(f"_{c.lower()}" if c.isupper() and i else c.lower() for i, c in enumerate(operation))
    if name in ("cast", "astype"):
        return not dtype.startswith(("float", "bfloat"))
    return name in STEPS


def stepping_calls(node: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """Calls below a node that step; casts to floating types are left out."""
    for name, call in calls_in(node):
        if name in ("cast", "astype") and "float" in "".join(map(ast.unparse, call.args)):
            continue
        if name in STEPS:
            yield name, call


def detaching_calls(node: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    for name, call in calls_in(node):
        if name in DETACHING:
            yield name, call
