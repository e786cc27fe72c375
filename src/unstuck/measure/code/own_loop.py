"""A training step of the person's own: what it does, read from the source of the model's class."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Self

from unstuck.finding import Location
from unstuck.measure.case import Case, Missing
from unstuck.measure.code.own_code import OwnClass, OwnCode, calls_in, last_name


@dataclass(frozen=True)
class OwnLoop:
    """The class of the model, which has a `train_step`.

    Attributes:
        step: that method. forward: its calls of the model itself (`self(x)`, `self.stateless_call`).
        without_training: those of them that do not say training=True.
        penalties: whether it, or a method it calls, reads `self.losses` or leaves the loss to Keras.
    """

    own: OwnClass
    step: ast.FunctionDef
    forward: tuple[ast.Call, ...]
    without_training: tuple[ast.Call, ...]
    penalties: bool
    code: OwnCode

    @classmethod
    def of(cls, case: Case) -> Self:
        code = case.get(OwnCode)
        step = code.model.method("train_step") if code.model else None
        if code.model is None or step is None:
            raise Missing("a training step of the model's own in the recorded source")
        reached = [step, *_helpers(code.model, step)]
        forward = tuple(call for method in reached for name, call in calls_in(method) if _is_forward(name, call))
        text = [ast.unparse(method) for method in reached]
        leaves = ("compute_loss", "stateless_compute_loss", ".losses", "super().train_step")
        silent = [] if _trains_by_default(code.model) else [call for call in forward if not _says_training(call)]
        return cls(
            code.model,
            step,
            forward,
            tuple(silent),
            any(word in part for part in text for word in leaves),
            code,
        )

    def defines(self, *methods: str) -> bool:
        return any(self.own.method(name) is not None for name in methods)

    def location(self, node: ast.AST, label: str = "") -> Location:
        return self.code.location(self.own.file, node, label)


def _helpers(own: OwnClass, step: ast.FunctionDef) -> list[ast.FunctionDef]:
    """Methods of the class that the step calls, one level deep, `call` left out: that is the network itself."""
    named = {name for name, _ in calls_in(step)} | {last_name(node) for node in ast.walk(step)}
    return [m for m in own.methods if m.name in named and m.name not in ("call", "train_step", "__init__")]


def _is_forward(name: str, call: ast.Call) -> bool:
    """`self(x)` or `self.stateless_call(...)`."""
    return name == "stateless_call" or (isinstance(call.func, ast.Name) and call.func.id == "self")


def _says_training(call: ast.Call) -> bool:
    return any(keyword.arg in ("training", None) for keyword in call.keywords)


def _trains_by_default(own: OwnClass) -> bool:
    """Whether `call` is in training mode unless it is told otherwise."""
    method = own.method("call")
    if method is None:
        return False
    given = [*method.args.args[-len(method.args.defaults) :]] if method.args.defaults else []
    pairs = [
        *zip(given, method.args.defaults, strict=True),
        *zip(method.args.kwonlyargs, method.args.kw_defaults, strict=True),
    ]
    return any(a.arg == "training" and isinstance(d, ast.Constant) and d.value is True for a, d in pairs)
