"""The pretrained network of keras.applications that a program builds on, and how its inputs were prepared."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Literal, Self

from unstuck.finding import Location
from unstuck.measure.case import Case, Missing
from unstuck.measure.code.source import Sources

Mode = Literal["caffe", "tf", "torch", "raw"]

MODES: dict[str, Mode] = {
    "vgg": "caffe",
    "resnet": "caffe",
    "resnetv2": "tf",
    "mobilenet": "tf",
    "mobilenetv2": "tf",
    "mobilenetv3": "raw",
    "inception": "tf",
    "inceptionresnet": "tf",
    "xception": "tf",
    "nasnet": "tf",
    "densenet": "torch",
    "efficientnet": "raw",
    "efficientnetv2": "raw",
    "convnext": "raw",
}
"""Preparation that each family was trained with (`preprocess_input` of its module in keras/src/applications)."""


@dataclass(frozen=True)
class Backbone:
    """One call of a class of keras.applications in the file that calls fit.

    Attributes:
        name: of the class. mode: what its weights expect: `caffe` (BGR less the mean), `tf` (-1 to 1), `torch`
            (standardised by channel), `raw` (0 to 255).
        pretrained: whether weights are given; they are by default.
        prepared: the module whose `preprocess_input` the file uses, "" for none, and the mode that it makes.
    """

    name: str
    mode: Mode
    pretrained: bool
    location: Location
    prepared: str
    prepared_mode: Mode | None

    @classmethod
    def of(cls, case: Case) -> Self:
        sources = case.get(Sources)
        file = case.file
        parsed = sources.tree(file)
        calls = [n for n in ast.walk(parsed) if isinstance(n, ast.Call) and _family(_last(n.func)) and _capital(n.func)]
        if len(calls) != 1:
            raise Missing("one network of keras.applications in the file that calls fit")
        call, name = calls[0], _last(calls[0].func)
        weights = next((k.value for k in call.keywords if k.arg == "weights"), None)
        loads = any(
            _last(n.func) in ("load_weights", "set_weights") for n in ast.walk(parsed) if isinstance(n, ast.Call)
        )
        modules = {module for n in ast.walk(parsed) if (module := _prepares(n))}
        prepared = modules.pop() if len(modules) == 1 else ""
        return cls(
            name=name,
            mode=MODES[_family(name)],
            pretrained=loads or not (isinstance(weights, ast.Constant) and weights.value is None),
            location=sources.span(file, call),
            prepared=prepared,
            prepared_mode=MODES.get(_family(prepared)),
        )


def _family(name: str) -> str:
    """The family of a class or module of keras.applications, "" for other names.

    >>> _family("MobileNetV2"), _family("resnet_v2"), _family("ResNet50V2"), _family("ResNet101"), _family("Dense")
    ('mobilenetv2', 'resnetv2', 'resnetv2', 'resnet', '')
    """
    plain = name.lower().replace("_", "")
    found = max((family for family in MODES if plain.startswith(family)), key=len, default="")
    return "resnetv2" if found == "resnet" and plain.endswith("v2") else found


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _capital(node: ast.expr) -> bool:
    return _last(node)[:1].isupper()


def _prepares(node: ast.AST) -> str:
    """The module of a `preprocess_input` that is imported or called by its full name."""
    if isinstance(node, ast.ImportFrom) and any(alias.name == "preprocess_input" for alias in node.names):
        return (node.module or "").rsplit(".", 1)[-1]
    if isinstance(node, ast.Attribute) and node.attr == "preprocess_input":
        return _last(node.value)
    return ""
