"""What is kept while a program is followed, and what calls and subscripts may ask of it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from unstuck.source.story import Story
from unstuck.source.values import Class, Function, Network, Scope, Thing, Value

if TYPE_CHECKING:
    from unstuck.source.calls import Arguments


class Reader:
    """The state, and the methods that its subclasses supply: expressions, statements, own functions."""

    def __init__(self) -> None:
        self.story = Story()
        self.scope = Scope()
        self.networks: list[Network] = []
        self.loops: list[tuple[int, bool]] = []
        """Loops around the current statement: id, and whether it goes over folds."""
        self.strided: set[str] = set()
        """Loop variables that advance by more than one: slices from them do not overlap."""
        self.starred = False
        """Some module was imported with `*`."""
        self._fresh = 0

    def fresh(self, hint: str = "") -> tuple[str, int]:
        """A key that nothing else has."""
        self._fresh += 1
        return (hint, self._fresh)

    def unknown(self) -> Thing:
        return Thing(origin=self.fresh("value"), loops=self.open_loops)

    @property
    def open_loops(self) -> tuple[int, ...]:
        return tuple(number for number, _ in self.loops)

    def value(self, node: ast.expr) -> Value:
        """The abstract value of an expression."""
        raise NotImplementedError

    def assign(self, target: ast.expr, value: Value) -> None:
        """Bind a value to a name, an attribute, an item or several of them."""
        raise NotImplementedError

    def items_of(self, over: Value) -> Iterator[Value]:
        """What a loop over a value goes through."""
        raise NotImplementedError

    def inline(self, function: Function, arguments: Arguments | None) -> Value:
        """Follow a function of the file."""
        raise NotImplementedError

    def instantiate(self, cls: Class, arguments: Arguments) -> Thing:
        """An object of a class of the file."""
        raise NotImplementedError
