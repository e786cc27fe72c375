"""Statements, followed in order.

Branches are followed on both sides and joined; loops once, or once for each item where the items are known.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from unstuck.source import calls, subscripts
from unstuck.source.arithmetic import combined
from unstuck.source.expressions import Expressions
from unstuck.source.merging import merge_names, merge_networks, restore, state_of
from unstuck.source.names import bind_import
from unstuck.source.values import NOTHING, Class, Const, Folds, Function, Items, Scope, Value


class Statements(Expressions):
    """Follows statements; `_defined` are the functions and classes of the file, `_returns` what open calls give."""

    def __init__(self) -> None:
        super().__init__()
        self._returns: list[list[Value]] = []
        self._defined: list[Function | Class] = []

    def block(self, body: Sequence[ast.stmt]) -> bool:
        """Follow statements; whether they certainly leave the block (return, raise, break, continue)."""
        for statement in body:
            handler = getattr(self, f"_on_{type(statement).__name__}", None)
            if handler is not None and handler(statement):
                return True
        return False

    def _on_Expr(self, node: ast.Expr) -> bool:  # noqa: N802
        self.value(node.value)
        return isinstance(node.value, ast.Call) and ast.unparse(node.value.func) in ("sys.exit", "exit", "quit")

    def _on_Assign(self, node: ast.Assign) -> None:  # noqa: N802
        value = self.value(node.value)
        for target in node.targets:
            self.assign(target, value)

    def _on_AnnAssign(self, node: ast.AnnAssign) -> None:  # noqa: N802
        if node.value is not None:
            self.assign(node.target, self.value(node.value))

    def _on_AugAssign(self, node: ast.AugAssign) -> None:  # noqa: N802
        before = self.value(_loaded(node.target))
        value = combined(self, node.op, before, self.value(node.value), node)
        counted = isinstance(value, Const) and isinstance(node.target, ast.Attribute)
        self.assign(node.target, self.unknown() if counted else value)  # how often a method runs is not known

    def _on_Global(self, node: ast.Global) -> None:  # noqa: N802
        self.scope.outer |= set(node.names)

    def _on_Nonlocal(self, node: ast.Nonlocal) -> None:  # noqa: N802
        self.scope.outer |= set(node.names)

    def _on_Delete(self, node: ast.Delete) -> None:  # noqa: N802
        for target in node.targets:
            if isinstance(target, ast.Subscript):
                subscripts.delete(self, target)

    def _on_Import(self, node: ast.Import) -> None:  # noqa: N802
        bind_import(node, self.scope)
        self.story.imports |= {alias.name: node for alias in node.names}

    def _on_ImportFrom(self, node: ast.ImportFrom) -> None:  # noqa: N802
        self.starred |= bind_import(node, self.scope)
        self.story.imports |= {f"{node.module}.{alias.name}": node for alias in node.names if not node.level}

    def _on_FunctionDef(self, node: ast.FunctionDef) -> None:  # noqa: N802
        function = Function(node, self.scope)
        self.scope.names[node.name] = function
        self._defined.append(function)

    def _on_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:  # noqa: N802
        self.scope.names[node.name] = Function(node, self.scope)

    def _on_ClassDef(self, node: ast.ClassDef) -> None:  # noqa: N802
        bases = tuple(ast.unparse(base) for base in node.bases)
        methods = {item.name: item for item in node.body if isinstance(item, ast.FunctionDef)}
        outer, self.scope = self.scope, Scope(self.scope)
        self.block([item for item in node.body if isinstance(item, (ast.Assign, ast.AnnAssign))])
        fields, self.scope = self.scope.names, outer
        found = Class(node, self.scope, methods, bases, fields)
        self.scope.names[node.name] = found
        self._defined.append(found)

    def _on_Return(self, node: ast.Return) -> bool:  # noqa: N802
        value = self.value(node.value) if node.value else NOTHING
        if self._returns:
            self._returns[-1].append(value)
        return True

    def _on_Raise(self, node: ast.Raise) -> bool:  # noqa: N802
        return True

    def _on_Break(self, node: ast.Break) -> bool:  # noqa: N802
        return True

    def _on_Continue(self, node: ast.Continue) -> bool:  # noqa: N802
        return True

    def _on_With(self, node: ast.With) -> bool:  # noqa: N802
        for item in node.items:
            value = self.value(item.context_expr)
            if item.optional_vars is not None:
                self.assign(item.optional_vars, value)
        return self.block(node.body)

    def _on_Try(self, node: ast.Try) -> bool:  # noqa: N802
        left = self.block(node.body) or self.block(node.orelse)
        before, state = dict(self.scope.names), state_of(self.networks)
        for handler in node.handlers:  # what fails is the exception: its side must not undo what is known
            if not self.block(handler.body):
                for name, value in before.items():
                    self.scope.names[name] = value
            restore(state)
        return self.block(node.finalbody) or left

    def _on_If(self, node: ast.If) -> bool:  # noqa: N802
        if ast.unparse(node.test).startswith("__name__ =="):
            return self.block(node.body)
        known = self.value(node.test)
        if isinstance(known, Const):
            return self.block(node.body if known.value else node.orelse)
        names, state = dict(self.scope.names), state_of(self.networks)
        left = self.block(node.body)
        names_then, state_then = self.scope.names, state_of(self.networks)
        self.scope.names = names
        restore(state)
        left_else = self.block(node.orelse)
        if left and not left_else:
            return False
        if left_else and not left:
            self.scope.names = names_then
            restore(state_then)
            return False
        merge_networks(state_then, state_of(self.networks))
        merge_names(self.scope, names_then, dict(self.scope.names))
        return left and left_else

    def _on_While(self, node: ast.While) -> None:  # noqa: N802
        self.value(node.test)
        before = dict(self.scope.names)
        self._once(node.body, folds=False)
        self._forget_counts(before)

    def _on_For(self, node: ast.For) -> None:  # noqa: N802
        over = self.value(node.iter)
        if _strides(node.iter):
            self.strided |= {n.id for n in ast.walk(node.target) if isinstance(n, ast.Name)}
        items, before = list(self.items_of(over)), dict(self.scope.names)
        for item in items:
            self.assign(node.target, item)
            self._once(node.body, folds=isinstance(over, Folds) or _by_hand(node), number=id(node))
        leaves = any(isinstance(inner, ast.Break) for inner in ast.walk(node))
        if leaves or not isinstance(over, Items) or len(items) != len(over.items):
            self._forget_counts(before)
        self.block(node.orelse)

    def _forget_counts(self, before: dict[str, Value]) -> None:
        """Constants that a loop changed are not known after it, when it is not known how often it ran."""
        for name, value in before.items():
            now = self.scope.names.get(name)
            if isinstance(now, Const) and now != value:
                self.scope.names[name] = self.unknown()

    def _once(self, body: Sequence[ast.stmt], *, folds: bool, number: int | None = None) -> None:
        self.loops.append((number or id(body), folds))
        before = dict(self.scope.names)
        self.block(body)
        for name, value in before.items():  # `continue` on a branch must not lose names
            self.scope.names.setdefault(name, value)
        self.loops.pop()

    def assign(self, target: ast.expr, value: Value) -> None:
        if isinstance(target, ast.Name):
            self.scope.bind(target.id, value)
        elif isinstance(target, (ast.Tuple, ast.List)):
            for inner, item in zip(target.elts, self._unpacked(value, target.elts), strict=True):
                self.assign(inner.value if isinstance(inner, ast.Starred) else inner, item)
        elif isinstance(target, ast.Attribute):
            calls.set_attribute(self, self.value(target.value), target, value)
        elif isinstance(target, ast.Subscript):
            subscripts.store(self, target, value)

    def _unpacked(self, value: Value, targets: Sequence[ast.expr]) -> list[Value]:
        count = len(targets)
        if isinstance(value, Folds):
            return [value.each, *(self.unknown() for _ in targets[1:])]
        if isinstance(value, Items):
            starred = next((i for i, t in enumerate(targets) if isinstance(t, ast.Starred)), None)
            if starred is None and len(value.items) == count:
                return list(value.items)
            if starred is not None and len(value.items) >= count - 1:
                after = count - 1 - starred
                end = len(value.items) - after
                return [*value.items[:starred], Items(value.items[starred:end]), *value.items[end:]]
        return [subscripts.item(self, value, position) for position in range(count)]


def _by_hand(loop: ast.For) -> bool:
    """Whether a loop divides rows by the number of a fold: `fold == k`, with the loop's variable."""
    targets = {n.id for n in ast.walk(loop.target) if isinstance(n, ast.Name)}
    for node in ast.walk(loop):
        if isinstance(node, ast.Compare):
            names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
            if names & targets and any("fold" in name.lower() for name in names - targets):
                return True
    return False


def _strides(over: ast.expr) -> bool:
    """Whether a loop goes over `range(start, stop, step)`; a batch begins where the last one ended."""
    named = isinstance(over, ast.Call) and isinstance(over.func, ast.Name) and over.func.id == "range"
    return named and isinstance(over, ast.Call) and len(over.args) == 3 and ast.unparse(over.args[2]) != "1"


def _loaded(target: ast.expr) -> ast.expr:
    """The target of `x += 1` as an expression that is read; nodes are never changed, so a shallow copy will do."""
    copied = ast.copy_location(type(target)(**dict(ast.iter_fields(target))), target)
    if hasattr(copied, "ctx"):
        copied.ctx = ast.Load()
    return copied
