"""Statements and expressions, followed in order without running anything.

Branches are followed on both sides and joined; loops once, or once for each item where the items are known; functions
of the same file are followed at each call, to a bounded depth.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from unstuck.source import calls, subscripts
from unstuck.source.merging import as_data, below, beside, either, merge_names, merge_networks, restore, state_of
from unstuck.source.names import bind_import, builtin
from unstuck.source.reading import Program
from unstuck.source.rows import apart
from unstuck.source.story import Story
from unstuck.source.values import (
    NOTHING,
    Class,
    Const,
    Data,
    Entries,
    Folds,
    Function,
    Items,
    Layers,
    Mask,
    Names,
    Network,
    Scope,
    Statistic,
    Thing,
    Value,
)

_STEPS = 40_000
"""Expressions that are followed in a file; a file of 1,000 lines needs about 10,000."""
_UNROLLED = 12
"""Known items of a loop that are followed one by one."""
_DEPTH = 6
"""Calls of own functions within each other."""
_PIXELS = (255, 127.5)
_POWER = 64
"""Exponents that are computed; larger ones are no setting of a network."""

_OPERATORS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
}


class Exhausted(Exception):
    """The file is larger than what is followed."""


class Interpreter:
    """Follows one program; what it sees is in `story`."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.story = Story()
        self.scope = Scope()
        self.networks: list[Network] = []
        self.loops: list[tuple[int, bool]] = []
        """Loops around the current statement: id, and whether it goes over folds."""
        self._steps = 0
        self._fresh = 0
        self._calls: list[ast.AST] = []
        self._returns: list[list[Value]] = []
        self._defined: list[Function | Class] = []
        self._followed: set[ast.AST] = set()
        self.strided: set[str] = set()
        """Loop variables that advance by more than one: slices from them do not overlap."""
        self.starred = False
        """Some module was imported with `*`."""

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

    # ---- helpers for calls and subscripts

    def fresh(self, hint: str = "") -> tuple[str, int]:
        """A key that nothing else has."""
        self._fresh += 1
        return (hint, self._fresh)

    def unknown(self) -> Thing:
        return Thing(origin=self.fresh("value"), loops=self.open_loops)

    @property
    def open_loops(self) -> tuple[int, ...]:
        return tuple(number for number, _ in self.loops)

    def define(self, defined: Function | Class) -> None:
        self._defined.append(defined)

    # ---- statements

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
        self.assign(node.target, self._combined(node.op, before, self.value(node.value), node))

    def _on_Delete(self, node: ast.Delete) -> None:  # noqa: N802
        for target in node.targets:
            if isinstance(target, ast.Subscript):
                subscripts.delete(self, target)

    def _on_Import(self, node: ast.Import) -> None:  # noqa: N802
        bind_import(node, self.scope)

    def _on_ImportFrom(self, node: ast.ImportFrom) -> None:  # noqa: N802
        self.starred |= bind_import(node, self.scope)

    def _on_FunctionDef(self, node: ast.FunctionDef) -> None:  # noqa: N802
        function = Function(node, self.scope)
        self.scope.names[node.name] = function
        self.define(function)

    def _on_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:  # noqa: N802
        self.scope.names[node.name] = Function(node, self.scope)

    def _on_ClassDef(self, node: ast.ClassDef) -> None:  # noqa: N802
        bases = tuple(ast.unparse(base) for base in node.bases)
        methods = {item.name: item for item in node.body if isinstance(item, ast.FunctionDef)}
        found = Class(node, self.scope, methods, bases)
        self.scope.names[node.name] = found
        self.define(found)

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
        self._once(node.body, folds=False)

    def _on_For(self, node: ast.For) -> None:  # noqa: N802
        over = self.value(node.iter)
        if _strides(node.iter):
            self.strided |= {n.id for n in ast.walk(node.target) if isinstance(n, ast.Name)}
        for item in self.items_of(over):
            self.assign(node.target, item)
            self._once(node.body, folds=isinstance(over, Folds), number=id(node))
        self.block(node.orelse)

    def _once(self, body: Sequence[ast.stmt], *, folds: bool, number: int | None = None) -> None:
        self.loops.append((number or id(body), folds))
        before = dict(self.scope.names)
        self.block(body)
        for name, value in before.items():  # `continue` on a branch must not lose names
            self.scope.names.setdefault(name, value)
        self.loops.pop()

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

    # ---- assignment

    def assign(self, target: ast.expr, value: Value) -> None:
        if isinstance(target, ast.Name):
            self.scope.names[target.id] = value
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

    # ---- expressions

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
        return self._combined(node.op, self.value(node.left), self.value(node.right), node)

    def _combined(self, op: ast.operator, left: Value, right: Value, node: ast.AST) -> Value:
        if isinstance(op, ast.Div) and isinstance(right, Const) and right.value in _PIXELS:
            pixels = as_data(left)
            if pixels is not None:
                return replace(pixels, rescaled=node)
        if isinstance(left, Const) and isinstance(right, Const):
            return self._computed(op, left.value, right.value)
        if isinstance(op, ast.Add) and isinstance(left, Items) and isinstance(right, Items):
            return Items([*left.items, *right.items])
        if isinstance(left, Statistic) or isinstance(right, Statistic):
            return calls.with_statistics(left, right, node) or self.unknown()
        for one, other in ((left, right), (right, left)):
            if isinstance(one, (Mask, Names)):
                return one
            if type(one) is Thing and one.origin is not None and isinstance(other, Const):
                return one  # x / 255
        tensors = calls.tensor_of(left, right)
        if tensors is not None:
            return tensors
        if isinstance(left, Data) and isinstance(right, Data) and apart(left.rows, right.rows):
            return below([left, right]) or left  # list(train) + list(test): arithmetic on other rows would mean nothing
        sides = [side if isinstance(side, Data) else None for side in (left, right)]
        return beside(sides) or self.unknown()

    def _computed(self, op: ast.operator, left: Any, right: Any) -> Value:
        plain = isinstance(left, (int, float)) and isinstance(right, (int, float))
        text = isinstance(op, ast.Add) and isinstance(left, str) and isinstance(right, str)
        huge = isinstance(op, (ast.Pow, ast.LShift)) and plain and abs(right) > _POWER
        if (plain or text) and type(op) in _OPERATORS and not huge:
            try:
                return Const(_OPERATORS[type(op)](left, right))
            except (ArithmeticError, ValueError):
                pass
        return self.unknown()

    def _of_Compare(self, node: ast.Compare) -> Value:  # noqa: N802
        values = [self.value(part) for part in (node.left, *node.comparators)]
        first, second = values[0], values[1]
        if len(values) == 2 and isinstance(first, Const) and isinstance(second, Const):
            compare = _COMPARISONS.get(type(node.ops[0]))
            try:
                return Const(compare(first.value, second.value)) if compare else self.unknown()
            except TypeError:
                return self.unknown()
        calls.compared(values)
        compared = beside([v if isinstance(v, Data) else None for v in values])
        return replace(compared, coding="") if compared is not None else Mask()

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
        self.scope = outer
        if any(isinstance(source, Names) for source in over):
            return Names()
        sources = [as_data(source) for source in over if isinstance(source, Data)]
        return as_data(made) if isinstance(made, Data) else beside(sources) or self.unknown()  # type: ignore[return-value]

    def _of_JoinedStr(self, node: ast.JoinedStr) -> Value:  # noqa: N802
        return Thing()

    # ---- own functions

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
        thing.arguments = arguments.by_name()
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
