"""The abstract value of each kind of expression."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import Any

from unstuck.source import calls, subscripts
from unstuck.source.arithmetic import combined, compared
from unstuck.source.merging import as_data, beside, either, names_columns
from unstuck.source.names import builtin
from unstuck.source.reader import Reader
from unstuck.source.scores import pick
from unstuck.source.story import Reading
from unstuck.source.values import (
    Const,
    Data,
    Entries,
    Folds,
    Function,
    Items,
    Layers,
    Names,
    Scope,
    Statistic,
    Thing,
    Value,
)

_STEPS = 40_000
"""Expressions that are followed in a file; a file of 1,000 lines needs about 10,000."""
_UNROLLED = 12
"""Known items of a loop that are followed one by one."""


class Exhausted(Exception):
    """The file is larger than what is followed."""


class Expressions(Reader):
    """Reads expressions."""

    _steps = 0

    def value(self, node: ast.expr) -> Value:
        self._steps += 1
        if self._steps > _STEPS:
            raise Exhausted
        handler = getattr(self, f"_of_{type(node).__name__}", None)
        if handler is None:
            for child in ast.iter_child_nodes(node):
                if isinstance(child, ast.expr):
                    self.value(child)
            return self.unknown()
        found = handler(node)
        assert isinstance(found, Value)
        return found

    def _of_Constant(self, node: ast.Constant) -> Value:  # noqa: N802
        return Const(node.value)

    def _of_Name(self, node: ast.Name) -> Value:  # noqa: N802
        found = self.scope.find(node.id)
        if found is None:
            found = builtin(node.id, starred=self.starred)
        if found is None:
            found = self.unknown()
            self.scope.names[node.id] = found
        return found

    def _of_NamedExpr(self, node: ast.NamedExpr) -> Value:  # noqa: N802
        value = self.value(node.value)
        self.assign(node.target, value)
        return value

    def _of_Tuple(self, node: ast.Tuple) -> Value:  # noqa: N802
        return self._sequence(node.elts)

    def _of_List(self, node: ast.List) -> Value:  # noqa: N802
        return self._sequence(node.elts)

    def _sequence(self, elements: Sequence[ast.expr]) -> Value:
        items: list[Value] = []
        for element in elements:
            inner = self.value(element.value if isinstance(element, ast.Starred) else element)
            if isinstance(element, ast.Starred) and isinstance(inner, Items):
                items += inner.items
            elif isinstance(element, ast.Starred):
                return self.unknown()
            else:
                items.append(inner)
        return Items(items)

    def _of_Dict(self, node: ast.Dict) -> Value:  # noqa: N802
        entries: dict[Any, Value] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            known, inner = (self.value(key) if key else None), self.value(value)
            entries[known.value if isinstance(known, Const) else self.fresh("key")] = inner
        return Entries(entries)

    def _of_DictComp(self, node: ast.DictComp) -> Value:  # noqa: N802
        self._comprehension(node.generators, node.value)
        text = isinstance(node.key, ast.JoinedStr) or (
            isinstance(node.key, ast.Call) and isinstance(node.key.func, ast.Name) and node.key.func.id == "str"
        )
        return Entries({ast.unparse(node.key): Thing()}) if text else self.unknown()

    def _of_Attribute(self, node: ast.Attribute) -> Value:  # noqa: N802
        return calls.attribute(self, self.value(node.value), node)

    def _of_Subscript(self, node: ast.Subscript) -> Value:  # noqa: N802
        return subscripts.load(self, self.value(node.value), node)

    def _of_Call(self, node: ast.Call) -> Value:  # noqa: N802
        return calls.call(self, node)

    def _of_Lambda(self, node: ast.Lambda) -> Value:  # noqa: N802
        return Function(node, self.scope)

    def _of_Await(self, node: ast.Await) -> Value:  # noqa: N802
        return self.value(node.value)

    def _of_IfExp(self, node: ast.IfExp) -> Value:  # noqa: N802
        known = self.value(node.test)
        if isinstance(known, Const):
            return self.value(node.body if known.value else node.orelse)
        return either(self.value(node.body), self.value(node.orelse))

    def _of_BoolOp(self, node: ast.BoolOp) -> Value:  # noqa: N802
        values = [self.value(part) for part in node.values]
        if all(isinstance(v, Const) for v in values):
            truths = [bool(v.value) for v in values if isinstance(v, Const)]
            return Const(all(truths) if isinstance(node.op, ast.And) else any(truths))
        return values[-1] if isinstance(node.op, ast.Or) and len(values) == 2 else self.unknown()

    def _of_UnaryOp(self, node: ast.UnaryOp) -> Value:  # noqa: N802
        value = self.value(node.operand)
        if isinstance(value, Const):
            try:
                if isinstance(node.op, ast.Not):
                    return Const(not value.value)
                return Const(-value.value) if isinstance(node.op, ast.USub) else value
            except TypeError:
                return self.unknown()
        return value

    def _of_BinOp(self, node: ast.BinOp) -> Value:  # noqa: N802
        return combined(self, node.op, self.value(node.left), self.value(node.right), node)

    def _of_Compare(self, node: ast.Compare) -> Value:  # noqa: N802
        parts = (node.left, *node.comparators)
        values = [self.value(part) for part in parts]
        if not any(isinstance(part, ast.Constant) for part in parts):
            pick(values)  # `if score > best`
        for value, border in zip(values, reversed(values), strict=True) if len(values) == 2 else ():
            if isinstance(value, Data) and value.tests and isinstance(border, Const):
                self.story.readings.append(Reading(node, "threshold", border.value, value.tests))
        return compared(self, node.ops, values)

    def _of_ListComp(self, node: ast.ListComp) -> Value:  # noqa: N802
        return self._comprehension(node.generators, node.elt)

    def _of_GeneratorExp(self, node: ast.GeneratorExp) -> Value:  # noqa: N802
        return self._comprehension(node.generators, node.elt)

    def _of_SetComp(self, node: ast.SetComp) -> Value:  # noqa: N802
        return self._comprehension(node.generators, node.elt)

    def _comprehension(self, generators: Sequence[ast.comprehension], element: ast.expr) -> Value:
        outer = self.scope
        self.scope = Scope(outer)
        over = [self.value(generator.iter) for generator in generators]
        filtered = any(generator.ifs for generator in generators)
        if len(over) == 1 and isinstance(over[0], Items) and not filtered and len(over[0].items) <= _UNROLLED:
            items = []
            for item in over[0].items:
                self.assign(generators[0].target, item)
                items.append(self.value(element))
            self.scope = outer
            return Items(items)
        for generator, source in zip(generators, over, strict=True):
            self.assign(generator.target, next(self.items_of(source)))
        made = self.value(element)
        conditions = [condition for generator in generators for condition in generator.ifs]
        chosen = next(self._choosing(conditions), None)
        self.scope = outer
        if chosen is not None:
            return chosen
        if any(isinstance(source, Names) or names_columns(source) for source in over):
            return Names()
        sources = [as_data(source) for source in over if isinstance(source, Data)]
        return as_data(made) if isinstance(made, Data) else beside(sources) or self.unknown()  # type: ignore[return-value]

    def _choosing(self, conditions: Sequence[ast.expr]) -> Iterator[Statistic]:
        """What decides which columns are kept: what goes with the labels, or the scores of a selector."""
        for part in (part for condition in conditions for part in ast.walk(condition)):
            if isinstance(part, (ast.Name, ast.Subscript, ast.Attribute)):
                value = self.value(part)
                fitting = value.fitting if isinstance(value, Statistic) and value.fitting.kind == "selection" else None
                if fitting is not None and (fitting.name != "corr" or fitting.column is not None):
                    yield Statistic(fitting)

    def _of_JoinedStr(self, node: ast.JoinedStr) -> Value:  # noqa: N802
        return Thing()

    def items_of(self, over: Value) -> Iterator[Value]:
        """What a loop over a value goes through: known items one by one, else one that stands for all."""
        if isinstance(over, Items) and 0 < len(over.items) <= _UNROLLED:
            yield from over.items
        elif isinstance(over, Items) and over.items:
            yield beside([as_data(over.items[0])]) or self.unknown()
        elif isinstance(over, Folds):
            yield over.each
        elif isinstance(over, Layers):
            yield over
        else:
            yield self.unknown()
