"""Layers that the source calls and the recorded model does not contain."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

from unstuck.measure.case import Case
from unstuck.measure.code.own_code import OwnClass, OwnCode, calls_in, functions_named, last_name

WEIGHTED = frozenset(
    {"Dense", "EinsumDense", "Conv1D", "Conv2D", "Conv3D", "Conv2DTranspose", "DepthwiseConv2D", "SeparableConv2D",
     "Embedding", "LSTM", "GRU", "SimpleRNN", "Bidirectional", "MultiHeadAttention", "BatchNormalization",
     "LayerNormalization", "PReLU"}
)  # fmt: skip
"""Keras layers with weights that are trained."""


@dataclass(frozen=True)
class HiddenLayer:
    """A layer with weights that the forward pass uses.

    Attributes:
        file: of both. built: the call that makes the layer. used: where the forward pass calls it.
        why: `built in call`, `a name outside the model`, `an attribute of a plain object`.
    """

    file: str
    built: ast.Call
    used: ast.AST
    why: str


@dataclass(frozen=True)
class HiddenLayers:
    """In the order of the source. `built_in_call` are made anew in every call; `untracked` are made once."""

    built_in_call: tuple[HiddenLayer, ...]
    untracked: tuple[HiddenLayer, ...]

    @classmethod
    def of(cls, case: Case) -> Self:
        code, model = case.get(OwnCode), case.fit.body["model"]
        known = {_place(layer.get("site")) for layer in model["layers"]}
        anew = [
            HiddenLayer(own.file, call, call, "built in call")
            for own in code.in_use
            if (method := own.method("call")) is not None
            for call in _built_anew(method)
        ]
        others = [
            hidden
            for hidden in (*_named_outside(code, model), *_in_plain_objects(code))
            if (hidden.file, hidden.built.lineno) not in known
        ]
        return cls(tuple(anew), tuple(others))


def _place(site: dict[str, Any] | None) -> tuple[str, int] | None:
    return (site["file"], site["line"]) if site else None


def _built_anew(method: ast.FunctionDef) -> Iterator[ast.Call]:
    """Layers made in `call`; one that is kept on self under a condition is made once."""
    kept = {
        id(inner)
        for node in ast.walk(method)
        if isinstance(node, ast.Assign) and any(isinstance(target, ast.Attribute) for target in node.targets)
        for inner in ast.walk(node.value)
    }
    for name, call in calls_in(method):
        if name in WEIGHTED and id(call) not in kept:
            yield call


def _named_outside(code: OwnCode, model: dict[str, Any]) -> Iterator[HiddenLayer]:
    """Layers under a name that a Lambda or a `call` of the person's reads from outside."""
    for file, parsed in code.trees:
        named = {
            target.id: node.value
            for node in ast.walk(parsed)
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)
            if last_name(node.value.func) in WEIGHTED
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for body in _forward_bodies(code, file, parsed, model):
            own = {node.arg for node in ast.walk(body) if isinstance(node, ast.arg)}
            own |= {n.id for n in ast.walk(body) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
            for name, call in calls_in(body):
                if isinstance(call.func, ast.Name) and name in named and name not in own:
                    yield HiddenLayer(file, named[name], call, "a name outside the model")


def _forward_bodies(code: OwnCode, file: str, parsed: ast.Module, model: dict[str, Any]) -> Iterator[ast.AST]:
    for own in code.in_use:
        method = own.method("call")
        if own.file == file and method is not None:
            yield method
    lines = {layer["site"]["line"] for layer in model["layers"] if layer["kind"] == "Lambda" and layer.get("site")}
    for name, call in calls_in(parsed):
        if name == "Lambda" and call.lineno in lines and call.args:
            given = call.args[0]
            yield from functions_named(parsed, given.id) if isinstance(given, ast.Name) else [given]


def _in_plain_objects(code: OwnCode) -> Iterator[HiddenLayer]:
    """Layers that an object of a plain class holds, where a layer of the person's holds that object."""
    plain = {own.name: own for own in code.classes if not _tracks(own, code)}
    for own in code.in_use:
        for method in own.methods:
            for node in ast.walk(method):
                if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Call):
                    continue
                holder = plain.get(last_name(node.value.func))
                if holder is None or not any(isinstance(target, ast.Attribute) for target in node.targets):
                    continue
                for name, call in calls_in(holder.node):
                    if name in WEIGHTED:
                        yield HiddenLayer(holder.file, call, node, "an attribute of a plain object")


def _tracks(own: OwnClass, code: OwnCode) -> bool:
    """Whether a class or one it derives from is Keras's; one of unknown origin counts as tracking."""
    if not own.bases:
        return False
    mine = {other.name: other for other in code.classes}
    return any(base not in mine or _tracks(mine[base], code) for base in own.bases if base != "object")
