"""A layer with weights that is made anew at each call."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from unstuck.source import vocabulary
from unstuck.source.names import STAR
from unstuck.source.sighting import Sighting
from unstuck.source.story import Story
from unstuck.source.values import Class, Symbol

CODE = "NET106"


def sightings(story: Story) -> Iterator[Sighting]:
    for cls in story.classes:
        if "call" not in cls.methods or not any(base.endswith(("Model", "Layer")) for base in cls.bases):
            continue
        for made in _made_in(cls.methods["call"], cls):
            yield Sighting(
                node=made,
                message=f"{ast.unparse(made.func)} is made inside call of {cls.node.name}",
                label="new random weights at each call",
                confidence="proven",
                conclusion="each call makes a new layer, uses it once and forgets it: nothing about it can be learnt;"
                " TensorFlow raises, JAX and PyTorch are silent",
                help="make it once in __init__, keep it on self, and call it here",
            )


def _made_in(function: ast.FunctionDef, cls: Class) -> Iterator[ast.Call]:
    """Layers that are made and called in one expression, or bound to a name of the function and called by it."""
    calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
    assigned = [node for node in ast.walk(function) if isinstance(node, ast.Assign)]
    local = {
        target.id: node.value
        for node in assigned
        for target in node.targets
        if isinstance(target, ast.Name) and isinstance(node.value, ast.Call) and _is_layer(node.value, cls)
    }
    for call in calls:
        if isinstance(call.func, ast.Call) and _is_layer(call.func, cls):
            yield call.func
        elif isinstance(call.func, ast.Name) and call.func.id in local:
            yield local.pop(call.func.id)


def _is_layer(call: ast.Call, cls: Class) -> bool:
    path = ast.unparse(call.func)
    root, _, last = path.rpartition(".")
    if last not in vocabulary.WITH_WEIGHTS:
        return False
    known = cls.scope.find(root.partition(".")[0] or last)
    return (known is None and not root) or (isinstance(known, Symbol) and known.root in ("keras", "tensorflow", STAR))
