"""Calls and attributes: finds out what is called, and hands over to those who know it."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from unstuck.source import frames, functions, joining, networks, objects, scores, vocabulary
from unstuck.source import rows as row_sets
from unstuck.source.merging import as_data, beside, variant, via
from unstuck.source.names import canonical
from unstuck.source.values import (
    Bins,
    Class,
    Const,
    Data,
    Entries,
    Function,
    Grouped,
    Items,
    Layer,
    Layers,
    Mask,
    Names,
    Network,
    Rolling,
    RowIndex,
    Score,
    Statistic,
    Stop,
    Symbol,
    Tensor,
    Thing,
    Value,
    tensors_in,
)

if TYPE_CHECKING:
    from unstuck.source.reader import Reader


@dataclass(frozen=True)
class Arguments:
    """Evaluated arguments. `complete`: there is no `*` or `**` of which nothing is known."""

    positional: Sequence[Value]
    named: Mapping[str, Value]
    node: ast.Call | None
    complete: bool = True

    def get(self, name: str, position: int | None = None) -> Value | None:
        if name in self.named:
            return self.named[name]
        if position is not None and position < len(self.positional):
            return self.positional[position]
        return None

    def every(self) -> list[Value]:
        return [*self.positional, *self.named.values()]

    def by_name(self) -> dict[str, Value]:
        return {**{f"#{i}": value for i, value in enumerate(self.positional)}, **self.named}


def arguments_of(reader: Reader, node: ast.Call) -> Arguments:
    positional: list[Value] = []
    named: dict[str, Value] = {}
    complete = True
    for argument in node.args:
        value = reader.value(argument.value if isinstance(argument, ast.Starred) else argument)
        if not isinstance(argument, ast.Starred):
            positional.append(value)
        elif isinstance(value, Items):
            positional += value.items
        else:
            complete = False
    for keyword in node.keywords:
        value = reader.value(keyword.value)
        if keyword.arg is not None:
            named[keyword.arg] = value
        elif isinstance(value, Entries) and all(isinstance(key, str) for key in value.entries):
            named |= value.entries
        else:
            complete = False
    for tensor in tensors_in([*positional, *named.values()]):
        tensor.used = True
    handed = [value for value in (*positional, *named.values()) if isinstance(value, Symbol)]
    reader.story.called += [(each, node, ()) for each in handed if each.last == "preprocess_input"]
    return Arguments(positional, named, node, complete)


def call(reader: Reader, node: ast.Call) -> Value:
    """The value of a call."""
    if isinstance(node.func, ast.Attribute):
        receiver = reader.value(node.func.value)
        if not isinstance(receiver, Symbol):
            return _method(reader, receiver, node.func.attr, arguments_of(reader, node))
        called: Value = Symbol(canonical(f"{receiver.path}.{node.func.attr}"))
    else:
        called = reader.value(node.func)
    arguments = arguments_of(reader, node)
    if isinstance(called, Symbol):
        return functions.call(reader, called, arguments)
    if isinstance(called, Function):
        return reader.inline(called, arguments)
    if isinstance(called, Class):
        return reader.instantiate(called, arguments)
    if isinstance(called, Layer):
        return networks.applied(reader, called, arguments)
    if isinstance(called, Thing) and called.path.partition(".")[0] in vocabulary.AUGMENTERS:
        varied = variant(next(iter(arguments.every()), None), node)
        return Entries(dict.fromkeys(arguments.named, varied)) if varied and arguments.named else varied or Thing()
    return unknown_call(reader, arguments, ast.unparse(node.func))


def _method(reader: Reader, receiver: Value, name: str, arguments: Arguments) -> Value:
    node = arguments.node
    assert node is not None and isinstance(node.func, ast.Attribute)
    if isinstance(receiver, Network) and (receiver.cls is None or name not in receiver.cls.methods):
        found = networks.method(reader, receiver, name, arguments)
        if found is not None:
            return found
    if isinstance(receiver, Thing):
        own = receiver.attributes.get(name)
        if isinstance(own, Function):
            return reader.inline(own, arguments)
        if isinstance(own, Layer):
            return networks.applied(reader, own, arguments)
        if receiver.cls is not None and name in receiver.cls.methods:
            return reader.inline(Function(receiver.cls.methods[name], receiver.cls.scope, receiver), arguments)
        found = objects.method(reader, receiver, name, arguments)
        if found is not None:
            return found
    if name in vocabulary.AUGMENTATIONS and (varied := _varied(receiver, arguments, node)) is not None:
        return varied
    if name in scores.PICKS:
        scores.pick([receiver])
    if isinstance(receiver, Score):
        return receiver
    if isinstance(receiver, Items):
        return _list_method(reader, receiver, name, arguments, node)
    if isinstance(receiver, Entries):
        return _dictionary_method(reader, receiver, name)
    if isinstance(receiver, (Grouped, Rolling)):
        return frames.grouped_method(reader, receiver, name, arguments)
    if isinstance(receiver, Bins):
        return receiver.data
    if isinstance(receiver, Statistic) and receiver.fitting.grouped and name == "reset_index":
        return as_data(receiver) or receiver
    if isinstance(receiver, (Statistic, Names, Mask)):
        return receiver
    if isinstance(receiver, Data) or (type(receiver) is Thing and frames.only_tables_have(name)):
        data = as_data(receiver)
        if data is not None:
            return frames.method(reader, data, name, arguments)
    if isinstance(receiver, Tensor):
        return Tensor(None, (receiver,), known=False)
    return unknown_call(reader, arguments, ast.unparse(node.func))


def _varied(receiver: Value, arguments: Arguments, node: ast.Call) -> Data | None:
    """`image.rotate(15)`, or `augmenter.augment_image(image)`."""
    given = next((value for value in arguments.every() if as_data(value) is not None), None)
    return variant(given if given is not None else receiver, node)


def _list_method(reader: Reader, items: Items, name: str, arguments: Arguments, node: ast.Call) -> Value:
    if name in ("append", "extend", "insert") and arguments.positional:
        added = arguments.positional[-1]
        if name == "extend" and isinstance(added, Items):
            items.items += added.items
        elif reader.loops and isinstance(added, Data):
            assert isinstance(node.func, ast.Attribute)
            reader.assign(node.func.value, joining.collected([as_data(item) for item in items.items], added, node))
        else:
            items.items.append(added)
    if name == "copy":
        return Items(list(items.items))
    return reader.unknown()


def _dictionary_method(reader: Reader, entries: Entries, name: str) -> Value:
    if name == "items":
        return Items([Items([Const(key), value]) for key, value in entries.entries.items()])
    if name == "values":
        return Items(list(entries.entries.values()))
    return reader.unknown()


def unknown_call(reader: Reader, arguments: Arguments, name: str) -> Value:
    """A function of which only the arguments are known: what it gives comes from the rows it was given.

    The text of the call becomes a side of these rows: the same call twice gives the same rows, another one may not.
    """
    score = mark_scored(name, arguments.every())
    if score is not None:
        return score
    tensors = tensors_in(arguments.every())
    if tensors:
        return Tensor(None, tuple(tensors), known=False)
    tables = [v for v in arguments.every() if isinstance(v, Data)]
    data = beside(tables)
    if data is None or arguments.node is None:
        return reader.unknown()
    text = ast.unparse(arguments.node)
    rows = row_sets.part(data.rows, ("call", name), text)
    made = replace(data, rows=rows, made_by=name, columns=None, column=None, table=False, coding="", generator=None)
    return via(made, Stop(name.rpartition(".")[2], arguments.node))


def mark_scored(name: str, values: Sequence[Value]) -> Score | None:
    """Predictions that go into something that is called a score are compared with labels."""
    words = ("score", "accuracy", "error", "report", "matrix", "loss", "metric", "evaluat", "auc", "rmse", "mse", "f1")
    if not any(word in name.lower() for word in words):
        return None
    compared(values)
    return scores.score_of(values)


def compared(values: Sequence[Value]) -> None:
    for value in values:
        if isinstance(value, Data):
            for test in value.tests:
                test.scored = True


def attribute(reader: Reader, receiver: Value, node: ast.Attribute) -> Value:
    """The value of `receiver.name` where it is not called."""
    name = node.attr
    if isinstance(receiver, Symbol):
        return Symbol(canonical(f"{receiver.path}.{name}"))
    if isinstance(receiver, Class):
        return receiver.fields.get(name) or reader.unknown()
    if isinstance(receiver, Network) and name == "layers":
        return Layers(receiver)
    if isinstance(receiver, Network) and name in ("output", "outputs", "input", "inputs"):
        return Tensor(None, (), known=False)
    chosen = objects.chosen_by(receiver, name, node) if isinstance(receiver, Thing) else None
    if chosen is not None:
        return chosen
    if isinstance(receiver, Thing) and (name in receiver.attributes or receiver.cls is not None):
        return _own_attribute(reader, receiver, name)
    if isinstance(receiver, Data):
        return frames.attribute(reader, receiver, node)
    if type(receiver) is Thing and name in ("values", "iloc", "loc", "T"):
        return as_data(receiver) or receiver
    if type(receiver) is Thing and name == "columns":
        return Names()
    if type(receiver) is Thing and name in ("shape", "index"):
        return Thing()
    if isinstance(receiver, Thing):
        origin = (receiver.origin, name) if receiver.origin is not None else reader.fresh(name)
        return receiver.attributes.setdefault(name, Thing(origin=origin))
    if isinstance(receiver, Tensor):
        receiver.used = True
        return Thing()
    kept = (Grouped, Bins, RowIndex, Score, Statistic, Layers, Names, Mask)
    return receiver if isinstance(receiver, kept) else reader.unknown()


def _own_attribute(reader: Reader, thing: Thing, name: str) -> Value:
    if name in thing.attributes:
        return thing.attributes[name]
    if thing.cls is not None and name in thing.cls.methods:
        return Function(thing.cls.methods[name], thing.cls.scope, thing)
    given = _field(thing, name) if thing.cls is not None else None
    return thing.attributes.setdefault(name, given or reader.unknown())


def _field(thing: Thing, name: str) -> Value | None:
    """An attribute that the class states; a dataclass takes it as an argument."""
    assert thing.cls is not None
    fields = thing.cls.fields
    if name not in fields or "__init__" in thing.cls.methods or not thing.arguments:
        return fields.get(name)
    annotated = [item.target for item in thing.cls.node.body if isinstance(item, ast.AnnAssign)]
    declared = [target.id for target in annotated if isinstance(target, ast.Name)]
    position = declared.index(name) if name in declared else None
    return thing.argument(name, position) or (fields[name] if thing.complete else None)


def set_attribute(reader: Reader, receiver: Value, target: ast.Attribute, value: Value) -> None:
    """`receiver.name = value`."""
    if target.attr == "trainable" and isinstance(receiver, (Layer, Layers)):
        networks.set_trainable(reader, receiver, value, target)
    elif isinstance(receiver, Layers):  # some layer is changed, it is not known which
        receiver.network.layers = receiver.network.outputs = None
    elif isinstance(receiver, Layer) and receiver.cls is None:
        receiver.arguments = {**receiver.arguments, target.attr: value}
    elif isinstance(receiver, Data) and receiver.table and target.attr not in ("columns", "index", "name"):
        reader.assign(target.value, frames.with_column(receiver, target.attr, value))
    elif isinstance(receiver, Class):
        receiver.fields[target.attr] = value
    elif isinstance(receiver, Thing):
        receiver.attributes[target.attr] = value


def new_object(reader: Reader, cls: Class) -> Thing:
    """An empty object of a class of the file."""
    last = [base.rpartition(".")[2] for base in cls.bases]
    loops = reader.open_loops
    if "Model" in last or "Sequential" in last:
        network = Network(name=cls.node.name, cls=cls, own_class=True, loops=loops)
        reader.networks.append(network)
        return network
    if "Layer" in last:
        return Layer(name=cls.node.name, cls=cls, loops=loops)
    return Thing(name=cls.node.name, cls=cls, loops=loops)


def tensor_of(*values: Value) -> Tensor | None:
    """Arithmetic on tensors gives a tensor of which no more is known."""
    tensors = [v for v in values if isinstance(v, Tensor)]
    return Tensor(None, tuple(tensors), known=False) if tensors else None


def with_statistics(left: Value, right: Value, node: ast.AST) -> Value | None:
    """Arithmetic in which a statistic takes part."""
    data = beside([as_data(v) for v in (left, right) if not isinstance(v, Statistic)])
    statistics = [v for v in (left, right) if isinstance(v, Statistic)]
    if data is None:
        return statistics[0]
    for statistic in statistics:
        data = frames.tainted(data, statistic.fitting, data.column)
    return via(data, Stop(f"with the {statistics[0].fitting.name}", node))
