"""The person's own classes in the recorded source: what the methods of a model or layer of theirs call."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

from unstuck.finding import Location
from unstuck.measure.case import Case
from unstuck.measure.code.source import Sources


@dataclass(frozen=True)
class OwnClass:
    """A class of the person's. `bases` are the last names of what it derives from: `Model`, `Layer`."""

    name: str
    file: str
    bases: tuple[str, ...]
    node: ast.ClassDef

    def method(self, name: str) -> ast.FunctionDef | None:
        return next((n for n in self.node.body if isinstance(n, ast.FunctionDef) and n.name == name), None)

    @property
    def ignores_labels(self) -> bool:
        """Whether a `compute_loss` or `train_step` of the class's own never reads the labels it is given."""
        loss, step = self.method("compute_loss"), self.method("train_step")
        if loss is not None:
            names = [argument.arg for argument in loss.args.args][2:3]
            return step is None and not any(name in names_read(loss) for name in names)
        if step is None or not step.args.args:
            return False
        given = step.args.args[-1].arg  # `data`; on JAX the state is before it
        unpacked = [
            node.targets[0].elts[1]
            for node in ast.walk(step)
            if isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Tuple)
            and len(node.targets[0].elts) > 1
            and any(isinstance(part, ast.Name) and part.id == given for part in ast.walk(node.value))
        ]
        return bool(unpacked) and all(isinstance(y, ast.Name) and y.id not in names_read(step) for y in unpacked)

    @property
    def methods(self) -> tuple[ast.FunctionDef, ...]:
        return tuple(n for n in self.node.body if isinstance(n, ast.FunctionDef))


@dataclass(frozen=True)
class OwnCode:
    """The person's files, and which of their classes the recorded model is made of.

    Attributes:
        classes: every class in the files. model: the class of the model itself, if it is theirs.
        in_use: the model's class and those of its layers, as far as they are theirs.
        trees: syntax trees by file.
    """

    classes: tuple[OwnClass, ...]
    model: OwnClass | None
    in_use: tuple[OwnClass, ...]
    trees: tuple[tuple[str, ast.Module], ...]
    sources: Sources

    @classmethod
    def of(cls, case: Case) -> Self:
        sources, model = case.get(Sources), case.fit.body["model"]
        trees = tuple((file, sources.tree(file)) for file in sources.lines)
        classes = tuple(
            OwnClass(node.name, file, tuple(last_name(base) for base in node.bases), node)
            for file, parsed in trees
            for node in class_definitions(parsed)
        )
        layers = (*model["layers"], *model.get("held", ()))  # as read for the diagnosis, and as in the person's model
        kinds = {layer["kind"] for layer in layers} | {model["class"]}
        in_use = tuple(found for found in classes if found.name in kinds)
        own = next((found for found in in_use if found.name == model["class"]), None)
        return cls(classes, own, in_use, trees, sources)

    def location(self, file: str, node: ast.AST, label: str = "") -> Location:
        return self.sources.span(file, node, label)


def names_read(node: ast.AST) -> set[str]:
    """Names whose value is used below a node."""
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load)}


def last_name(node: ast.AST) -> str:
    """`Dense` of `keras.layers.Dense`, `x` of `x`, "" of anything else."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def calls_in(node: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """All calls below a node, each with the last name of what is called."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Call):
            yield last_name(inner.func), inner


def functions_named(parsed: ast.AST, name: str) -> Iterator[ast.FunctionDef | ast.Lambda]:
    """Functions defined or lambdas assigned under a name."""
    for node in ast.walk(parsed):
        if isinstance(node, ast.FunctionDef) and node.name == name:
            yield node
        elif (
            isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda) and name in map(last_name, node.targets)
        ):
            yield node.value


@lru_cache(maxsize=64)
def class_definitions(parsed: ast.Module) -> tuple[ast.ClassDef, ...]:
    return tuple(node for node in ast.walk(parsed) if isinstance(node, ast.ClassDef))
