"""Rows put together, drawn again or repeated."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from unstuck.source import frames
from unstuck.source import rows as row_sets
from unstuck.source.merging import as_data, below, beside, via
from unstuck.source.values import (
    Data,
    Items,
    Stop,
    Thing,
    Value,
    constant,
)

if TYPE_CHECKING:
    from unstuck.source.calls import Arguments
    from unstuck.source.reader import Reader


_ALONG_COLUMNS = (1, "columns")


def joined(reader: Reader, arguments: Arguments, *, below_by_default: bool) -> Value:
    parts = [as_data(item) for value in arguments.positional for item in listed(value)]
    if not any(parts):
        parts = [as_data(item) for item in listed(arguments.get("objs") or arguments.get("arrays") or Thing())]
    place = {"append": 2, "concatenate": 1, "concat": 1}.get(_name_of(arguments.node))
    axis = constant(arguments.get("axis", place), 0 if below_by_default else 1)
    down = below_by_default and axis not in (*_ALONG_COLUMNS, -1)
    table = below(parts) if down else beside(parts)
    if table is None or arguments.node is None:
        return reader.unknown()
    if not down:
        return table
    if _name_of(arguments.node) == "vstack":  # it also puts single columns below each other
        again = twice(parts, equal=any(part and part.augmented for part in parts))
    else:
        again = twice(parts)
    if again:
        made = frames.fitted_on(table, "concatenate", "resampling", arguments.node)
        table = replace(table, copies=table.copies | {made})
    return via(table, Stop("concatenated", arguments.node))


def collected(before: Sequence[Data | None], added: Data, node: ast.Call) -> Data:
    """Rows appended to a list in a loop: one table. A variant beside its original is a copy."""
    table = beside([*before, added])
    assert table is not None
    if added.augmented is not None and any(part and row_sets.share(part.rows, added.rows) for part in before):
        made = frames.fitted_on(table, _name_of(node), "resampling", added.augmented)
        table = replace(table, copies=table.copies | {made}, augmented=None)
    return via(table, Stop("collected in a loop", node))


def _name_of(node: ast.Call | None) -> str:
    func = node.func if node is not None else None
    return func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""


def twice(parts: Sequence[Data | None], *, equal: bool = True) -> bool:
    """Whether rows are put below themselves, as an augmented copy or drawn rows are; single columns are not rows.

    With `equal` False two tables of the same rows may be two columns of them; rows drawn from a table are not.
    """
    known = [part for part in parts if part is not None and part.column is None]
    pairs = [(one.rows, other.rows) for i, one in enumerate(known) for other in known[:i]]
    return any(row_sets.share(one, other) and (equal or one != other) for one, other in pairs)


def listed(value: Value) -> list[Value]:
    return value.items if isinstance(value, Items) else [value]


def resampled(reader: Reader, arguments: Arguments) -> Value:
    """`sklearn.utils.resample`: draws rows with replacement."""
    tables = [v for v in arguments.every() if isinstance(v, Data)]
    if not tables or arguments.node is None or constant(arguments.get("replace"), True) is False:
        return tables[0] if len(tables) == 1 else Items(list(tables)) if tables else reader.unknown()
    made = frames.fitted_on(tables[0], "resample", "resampling", arguments.node)
    reader.story.fittings.append(made)
    drawn = ("drawn", arguments.node)  # not all of the rows: those that are left out may test honestly
    copied = [
        via(replace(t, rows=row_sets.part(t.rows, drawn, "in"), copies=t.copies | {made}), Stop("resample", made.node))
        for t in tables
    ]
    return copied[0] if len(copied) == 1 else Items(list(copied))


def repeated(reader: Reader, arguments: Arguments) -> Value:
    """`np.repeat` and `np.tile` along the rows."""
    data = as_data(arguments.get("a", 0))
    if data is None or arguments.node is None:
        return reader.unknown()
    axis = constant(arguments.get("axis", 2), None)
    if axis != 0:
        return data
    made = frames.fitted_on(data, "repeat", "resampling", arguments.node)
    return via(replace(data, copies=data.copies | {made}), Stop("repeat", arguments.node))
