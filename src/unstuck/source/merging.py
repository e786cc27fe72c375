"""Several values as one: side by side, one below the other, or one of two after a branch."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import replace

from unstuck.source import rows as row_sets
from unstuck.source.values import (
    Compiled,
    Const,
    Data,
    Entries,
    Items,
    Network,
    Scope,
    Statistic,
    Stop,
    Tensor,
    Thing,
    Value,
)

_LONGEST_TRAIL = 12
"""Stations of a flow that are kept; more would not be read."""


def as_data(value: Value | None) -> Data | None:
    """The rows that a value stands for when it is handed to `fit`, a split or an array function."""
    if isinstance(value, Data):
        return value
    if isinstance(value, Items):
        return beside([as_data(item) for item in value.items])
    if isinstance(value, Entries):
        return beside([as_data(item) for item in value.entries.values()])
    if isinstance(value, Statistic) and value.fitting.grouped:
        return _a_row_each_group(value)
    if type(value) is Thing and (held := [v for v in value.arguments.values() if isinstance(v, Data)]):
        return held[0]  # a generator or data set that was made from these rows
    if type(value) is Thing and value.origin is not None and value.cls is None:
        return Data(row_sets.source(value.origin))
    return None


def names_columns(value: Value | None) -> bool:
    """Whether going through a value gives names of columns, as a frame does; a single column gives its rows."""
    return isinstance(value, Data) and value.table and value.column is None


def _a_row_each_group(value: Statistic) -> Data:
    """A table of groups: rows of its own, made from those that were grouped."""
    made = value.fitting
    rows = row_sets.child(made.rows, ("groups", made.node))
    return Data(rows, taints=frozenset({(made, None)}), table=True, trail=made.trail)


def beside(parts: Sequence[Data | None]) -> Data | None:
    """Columns of the same rows, put side by side."""
    known = [part for part in parts if part is not None]
    if not known:
        return None
    first = known[0]
    return first if len(known) == 1 else _gathered(first, known)


def below(parts: Sequence[Data | None]) -> Data | None:
    """Rows put one below the other."""
    known = [part for part in parts if part is not None]
    if not known:
        return None
    everything = frozenset(atom for part in known for atom in part.rows)
    return replace(_gathered(known[0], known), rows=everything) if len(known) > 1 else known[0]


def _gathered(first: Data, parts: Sequence[Data]) -> Data:
    return replace(
        first,
        taints=frozenset(t for part in parts for t in part.taints),
        copies=frozenset(c for part in parts for c in part.copies),
        lags=frozenset(lag for part in parts for lag in part.lags),
        tests=frozenset(t for part in parts for t in part.tests),
        columns=None,
        column=None,
        coding="",
        trail=max((part.trail for part in parts), key=len),
    )


def variant(value: Value | None, node: ast.AST) -> Data | None:
    """A mirrored, turned or otherwise varied copy of rows."""
    data = as_data(value)
    return replace(data, augmented=node, columns=None, column=None) if data is not None else None


def via(data: Data, stop: Stop) -> Data:
    """The rows after one more station."""
    if data.trail and data.trail[-1] == stop:
        return data
    return replace(data, trail=(*data.trail, stop)[-_LONGEST_TRAIL:])


def either(one: Value, other: Value) -> Value:
    """One of two values, it is not known which."""
    if one is other or one == other:
        return one
    if isinstance(one, Data) and isinstance(other, Data):
        both = _gathered(one, (one, other))
        return replace(both, rows=one.rows, table=one.table, generator=one.generator)
    if isinstance(one, Const) and isinstance(other, Const):
        return Thing()
    if isinstance(other, Tensor):
        other.used = True  # it goes on where this side was taken
    if isinstance(one, Items) and isinstance(other, Items) and len(one.items) == len(other.items):
        return Items([either(a, b) for a, b in zip(one.items, other.items, strict=True)])
    if isinstance(one, Const) and one.value is None:
        return other
    if isinstance(other, Const) and other.value is None:
        return one
    if isinstance(one, Network) and isinstance(other, Network):
        return Network(name="Model", origin=None, loops=one.loops)
    return one if isinstance(one, Data) or not isinstance(other, Data) else other


def merge_names(scope: Scope, one: dict[str, Value], other: dict[str, Value]) -> None:
    """The names after a branch; one that only one side knows is taken from there."""
    for name in one.keys() | other.keys():
        here, there = one.get(name), other.get(name)
        known = here if there is None else there if here is None else either(here, there)
        assert known is not None
        scope.names[name] = known


_MUTABLE = ("layers", "outputs", "compiled", "trainable", "trained", "thawed")
State = dict[Network, dict[str, object]]


def state_of(networks: Iterable[Network]) -> State:
    """What models are like now, to come back to it for the other branch."""
    return {n: {name: _copied(getattr(n, name)) for name in _MUTABLE} for n in networks}


def restore(state: State) -> None:
    for network, fields in state.items():
        for name, value in fields.items():
            setattr(network, name, _copied(value))


def merge_networks(one: State, other: State) -> None:
    """The models after a branch: what differs between its sides is not known."""
    for network in one.keys() & other.keys():
        for name in _MUTABLE:
            here, there = one[network][name], other[network][name]
            if here == there:
                value = here
            elif name == "compiled":
                value = _either_contract(here, there)
            else:
                value = {"trained": True, "thawed": here or there}.get(name)
            setattr(network, name, value)


def _either_contract(one: object, other: object) -> object:
    known = [contract for contract in (one, other) if isinstance(contract, Compiled)]
    return known[0] if len(known) == 1 else Compiled(known[0].node, {}, complete=False)


def _copied(value: object) -> object:
    return list(value) if isinstance(value, list) else value
