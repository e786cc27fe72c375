"""Follows a program from its first cell to its last, and the functions of the same file at each call.

Nothing is run: what a name stands for is an abstract value, what happens is noted in a story.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from unstuck.source import calls
from unstuck.source.expressions import Exhausted
from unstuck.source.merging import either
from unstuck.source.names import bind_import
from unstuck.source.reading import Program
from unstuck.source.statements import Statements
from unstuck.source.story import Story
from unstuck.source.values import NOTHING, Class, Function, Items, Scope, Thing, Value

_DEPTH = 6
"""Calls of own functions within each other."""


class Interpreter(Statements):
    """Follows one program; what it sees is in `story`."""

    def __init__(self, program: Program) -> None:
        super().__init__()
        self.program = program
        self._calls: list[ast.AST] = []
        self._followed: set[ast.AST] = set()

    def follow(self) -> Story:
        """The story of the whole program; of its beginning, if it is very long."""
        trees = [cell.tree for cell in self.program.cells]
        for tree in trees:  # a notebook's imports may have run from any cell
            for statement in _statements(tree.body):
                if isinstance(statement, (ast.Import, ast.ImportFrom)):
                    self.starred |= bind_import(statement, self.scope)
        try:
            for tree in trees:
                self.block(tree.body)
            self._follow_uncalled()
        except (Exhausted, RecursionError):
            self.story.complete = False
        self.story.networks = self.networks
        self.story.classes = [defined for defined in self._defined if isinstance(defined, Class)]
        return self.story

    def _follow_uncalled(self) -> None:
        """Functions that nothing here calls, with arguments of which nothing is known."""
        for defined in list(self._defined):
            if isinstance(defined, Class):
                if defined.node not in self._followed:
                    thing = self.instantiate(defined, calls.Arguments((), {}, None, complete=False))
                    for method in defined.methods.values():
                        if method not in self._followed:
                            self.inline(Function(method, defined.scope, thing), None)
            elif defined.node not in self._followed:
                self.inline(defined, None)

    def inline(self, function: Function, arguments: calls.Arguments | None) -> Value:
        """Follow a function of the file; with `arguments` None nothing is known of its parameters."""
        node = function.node
        self._followed.add(node)
        if node in self._calls or len(self._calls) >= _DEPTH:
            return self.unknown()
        outer, self.scope = self.scope, Scope(function.scope)
        self._bind(function, arguments)
        self._calls.append(node)
        self._returns.append([])
        if isinstance(node, ast.Lambda):
            self._returns[-1].append(self.value(node.body))
        else:
            self.block(node.body)
        returned = self._returns.pop()
        self._calls.pop()
        self.scope = outer
        result = returned[0] if returned else NOTHING
        for value in returned[1:]:
            result = either(result, value)
        return result

    def _bind(self, function: Function, arguments: calls.Arguments | None) -> None:
        given = function.node.args
        names = [a.arg for a in (*given.posonlyargs, *given.args)]
        positional = list(arguments.positional) if arguments else []
        if function.owner is not None:
            positional.insert(0, function.owner)
            if arguments is None:
                self.scope.names[names[0] if names else "self"] = function.owner
        defaults = dict(zip(reversed(names), reversed(given.defaults), strict=False))
        defaults |= {a.arg: d for a, d in zip(given.kwonlyargs, given.kw_defaults, strict=True) if d is not None}
        keywords = arguments.named if arguments else {}
        for position, name in enumerate([*names, *(a.arg for a in given.kwonlyargs)]):
            if position < min(len(positional), len(names)):
                self.scope.names[name] = positional[position]
            elif name in keywords:
                self.scope.names[name] = keywords[name]
            elif arguments is not None and arguments.complete and name in defaults:
                self.scope.names[name] = self.value(defaults[name])
            else:
                self.scope.names[name] = self.unknown()
        if given.vararg:
            self.scope.names[given.vararg.arg] = Items(positional[len(names) :])
        if given.kwarg:
            self.scope.names[given.kwarg.arg] = self.unknown()

    def instantiate(self, cls: Class, arguments: calls.Arguments) -> Thing:
        """An object of a class of the file, after its `__init__`."""
        self._followed.add(cls.node)
        thing = calls.new_object(self, cls)
        thing.arguments, thing.complete = arguments.by_name(), arguments.complete
        if "__init__" in cls.methods:
            known = arguments if arguments.complete or arguments.positional or arguments.named else None
            self.inline(Function(cls.methods["__init__"], cls.scope, thing), known)
        return thing


def _statements(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """All statements of a block and of the blocks inside it."""
    waiting = list(body)
    while waiting:
        statement = waiting.pop()
        yield statement
        for name in ("body", "orelse", "finalbody"):
            waiting += getattr(statement, name, ())
        for handler in getattr(statement, "handlers", ()):
            waiting += handler.body
