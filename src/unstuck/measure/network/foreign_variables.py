"""tf.Variable objects that layers of the person's hold and Keras 3 does not see."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Self

from unstuck.measure.case import Case
from unstuck.measure.code.own_code import OwnClass, OwnCode, last_name


@dataclass(frozen=True)
class ForeignVariables:
    """Assignments `self.name = tf.Variable(...)` in classes that the recorded model is made of.

    Attributes:
        made: the class and the call, without those that say trainable=False.
        copies: names of a second Keras that a recorded file imports beside `keras`: `tf_keras`.
    """

    made: tuple[tuple[OwnClass, ast.Call], ...]
    copies: tuple[str, ...]

    @classmethod
    def of(cls, case: Case) -> Self:
        code = case.get(OwnCode)
        made = tuple(
            (own, node.value)
            for own in code.in_use
            for node in ast.walk(own.node)
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and _is_tf_variable(node.value)
            if any(isinstance(target, ast.Attribute) for target in node.targets)
        )
        return cls(made, tuple(sorted(_second_copies(code))))


def _is_tf_variable(call: ast.Call) -> bool:
    function = call.func
    named = isinstance(function, ast.Attribute) and function.attr == "Variable"
    if not named or last_name(function.value) not in ("tf", "tensorflow"):  # type: ignore[attr-defined]
        return False
    return not any(
        k.arg == "trainable" and isinstance(k.value, ast.Constant) and k.value.value is False for k in call.keywords
    )


def _second_copies(code: OwnCode) -> set[str]:
    """`tf.keras` is the same Keras from TensorFlow 2.16 on; `tf_keras` never is."""
    names = set()
    for _, parsed in code.trees:
        imported = {
            alias.name.split(".")[0]
            for node in ast.walk(parsed)
            if isinstance(node, ast.Import)
            for alias in node.names
        } | {(node.module or "").split(".")[0] for node in ast.walk(parsed) if isinstance(node, ast.ImportFrom)}
        if "tf_keras" in imported and "keras" in imported:
            names.add("tf_keras")
    return names
