"""Losses that a program writes itself: what they do with the labels and the predictions they are given."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from unstuck.source.names import canonical
from unstuck.source.story import Contract, Story
from unstuck.source.values import Function, Scope, Symbol


@dataclass(frozen=True)
class OwnLoss:
    """A function `(labels, predictions)` that a model is compiled with."""

    contract: Contract
    node: ast.FunctionDef | ast.Lambda
    scope: Scope
    labels: str
    predictions: str

    @property
    def body(self) -> list[ast.AST]:
        """Everything in it, nested functions too."""
        parts = self.node.body if isinstance(self.node.body, list) else [self.node.body]
        return [node for part in parts for node in ast.walk(part)]

    def reads(self, name: str) -> list[ast.Name]:
        return [n for n in self.body if isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load)]

    def path(self, call: ast.Call) -> str:
        """The full path of what is called, `keras.losses.binary_crossentropy`; "" if it is nothing imported."""
        root, _, rest = ast.unparse(call.func).partition(".")
        known = self.scope.find(root)
        return canonical(f"{known.path}.{rest}" if rest else known.path) if isinstance(known, Symbol) else ""


def own_losses(story: Story) -> Iterator[OwnLoss]:
    """The losses of the file's own that are handed to `compile` as functions of two arguments."""
    for contract in story.contracts:
        given = contract.compiled.argument("loss", 1)
        if not isinstance(given, Function) or isinstance(given.node, ast.AsyncFunctionDef) or given.owner is not None:
            continue
        names = [argument.arg for argument in (*given.node.args.posonlyargs, *given.node.args.args)]
        required = len(names) - len(given.node.args.defaults)
        if len(names) >= 2 and required <= 2:
            yield OwnLoss(contract, given.node, given.scope, names[0], names[1])
