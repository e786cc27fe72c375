"""`value[index]`: rows by slice, mask or index; columns by name; items of lists and dictionaries."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING

from unstuck.source import frames
from unstuck.source import rows as row_sets
from unstuck.source.merging import as_data, via
from unstuck.source.scores import held_in
from unstuck.source.values import (
    Bins,
    Columns,
    Const,
    Data,
    Entries,
    Grouped,
    Items,
    Layers,
    Mask,
    Names,
    RowIndex,
    Score,
    Statistic,
    Stop,
    Symbol,
    Tensor,
    Thing,
    Value,
    constant,
)

if TYPE_CHECKING:
    from unstuck.source.reader import Reader


def load(reader: Reader, value: Value, node: ast.Subscript) -> Value:
    """The value of a subscript that is read."""
    index = node.slice
    if isinstance(value, Symbol) and value.last in ("r_", "c_"):
        from unstuck.source.merging import below, beside

        inner = reader.value(index)
        parts = [as_data(item) for item in (inner.items if isinstance(inner, Items) else [inner])]
        return (below(parts) if value.last == "r_" else beside(parts)) or reader.unknown()
    if isinstance(value, (Items, Entries)):
        return _of_collection(reader, value, index)
    if isinstance(value, Layers):
        whole = isinstance(index, ast.Slice) and index.lower is None and index.upper is None
        return replace(value, whole=value.whole and whole)
    if isinstance(value, Grouped):
        names = frames.texts(reader.value(index))
        return Grouped(frames.column_of(value.data, names[0]) if names and len(names) == 1 else value.data)
    if isinstance(value, Score):
        return value
    if isinstance(value, Bins):
        names = frames.texts(reader.value(index))
        return Bins(frames.columns_of(value.data, names)) if names else value
    if isinstance(value, Tensor):
        return Tensor(None, (value,), known=False)
    groups = as_data(value) if isinstance(value, Statistic) and isinstance(index, ast.Slice) else None
    if groups is not None:
        return _of_data(reader, groups, node)
    if isinstance(value, (Statistic, RowIndex)):
        return _of_index(reader, value, index)
    if isinstance(value, Data):
        return _of_data(reader, value, node)
    if isinstance(value, (Names, Mask)):
        chosen = reader.value(index) if not isinstance(index, ast.Slice) else None
        return chosen if isinstance(chosen, Statistic) else value
    if type(value) is Thing and value.origin is not None:
        return _of_unknown(reader, value, node)
    reader.value(index) if not isinstance(index, ast.Slice) else None
    return reader.unknown()


def _of_collection(reader: Reader, value: Items | Entries, index: ast.expr) -> Value:
    if isinstance(value, Items) and isinstance(index, ast.Slice):
        lower, upper = (constant(reader.value(e)) if e else None for e in (index.lower, index.upper))
        known = all(isinstance(bound, (int, type(None))) for bound in (lower, upper)) and index.step is None
        return Items(value.items[lower:upper]) if known else reader.unknown()
    key = constant(reader.value(index))
    if isinstance(value, Items) and isinstance(key, int) and -len(value.items) <= key < len(value.items):
        return value.items[key]
    if isinstance(value, Entries) and key in value.entries:
        return value.entries[key]
    return reader.unknown()


def _of_index(reader: Reader, value: Statistic | RowIndex, index: ast.expr) -> Value:
    if isinstance(value, RowIndex) and value.of is not None:
        cut = _rows_cut(reader, value.of, index)
        return RowIndex(sides=row_sets.added(cut.rows, value.of.rows))
    if isinstance(value, Statistic) and value.fitting.name == "corr" and not isinstance(index, ast.Slice):
        name = constant(reader.value(index))
        if isinstance(name, str):  # what goes with one column, the labels mostly
            return Statistic(replace(value.fitting, column=name))
    return value


def _of_unknown(reader: Reader, value: Thing, node: ast.Subscript) -> Value:
    """Something loaded or handed in: by name or number it gives something else in it, by a slice some of its rows."""
    index = node.slice
    known = reader.value(index) if not isinstance(index, (ast.Slice, ast.Tuple)) else None
    if isinstance(known, Const):
        return value.attributes.setdefault(f"[{known.value!r}]", Thing(origin=(value.origin, known.value)))
    data = as_data(value)
    assert data is not None
    return _of_data(reader, data, node)


def item(reader: Reader, value: Value, position: int) -> Value:
    """One of several targets that a value is unpacked into."""
    if isinstance(value, Data):
        if "split" in value.made_by.lower():
            stop = value.trail[-1] if value.trail else None
            return replace(value, rows=row_sets.part(value.rows, ("split", stop), position), made_by="")
        if value.made_by:
            return replace(value, rows=row_sets.child(value.rows, position), made_by="", columns=None)
        return replace(value, columns=None, column=None)
    if type(value) is Thing and value.origin is not None:
        return Thing(origin=(value.origin, position))
    if isinstance(value, Tensor):
        return Tensor(None, (value,), known=False)
    return value if isinstance(value, Score) else reader.unknown()


def _of_data(reader: Reader, data: Data, node: ast.Subscript) -> Value:
    index = node.slice
    by_place = isinstance(node.value, ast.Attribute) and node.value.attr in ("loc", "iloc", "ix", "at", "iat")
    if isinstance(index, ast.Tuple) and index.elts:
        cut = _rows_cut(reader, data, index.elts[0])
        last = index.elts[1] if len(index.elts) == 2 else None
        place = reader.value(last) if last is not None and not isinstance(last, ast.Slice) else None
        names = frames.texts(place) if by_place else None
        if isinstance(place, Statistic):
            return _by_statistic(cut, place)
        if names is None:
            number = constant(place) if isinstance(last, (ast.Constant, ast.UnaryOp)) else None
            column = f"[{number}]" if isinstance(number, int) else None  # one column, as in `data[:, 8]`
            return replace(cut, columns=None, column=column, coding="")
        return _chosen(cut, names, listed=isinstance(index.elts[1], ast.List))
    if by_place or isinstance(index, ast.Slice):
        return _rows_cut(reader, data, index)
    value = reader.value(index)
    names = frames.texts(value)
    if names is not None:
        if not data.table and isinstance(value, Const):
            return replace(data, rows=row_sets.child(data.rows, names[0]), columns=None)
        return _chosen(data, names, listed=isinstance(value, Items))
    if isinstance(value, Statistic):
        return _by_statistic(data, value)
    if isinstance(value, Const) and isinstance(value.value, int):
        return replace(data, columns=None) if not data.generator else data
    if isinstance(value, Names) or (data.table and isinstance(value, Items)):
        return replace(data, columns=None, column=None)
    if data.table and type(value) is Thing and not isinstance(index, (ast.Compare, ast.BoolOp, ast.UnaryOp)):
        return replace(data, columns=None, column=None)  # df[columns]
    return _by_index(data, value, index)


def _by_statistic(data: Data, statistic: Statistic) -> Data:
    """The columns that a statistic chooses, as in `x[:, selector.support_]`."""
    chosen = replace(data, columns=None, column=None, coding="")
    return frames.tainted(chosen, statistic.fitting, None) if statistic.fitting.kind == "selection" else chosen


def _chosen(data: Data, names: list[str], *, listed: bool) -> Data:
    return frames.columns_of(data, names) if listed or len(names) != 1 else frames.column_of(data, names[0])


def _rows_cut(reader: Reader, data: Data, index: ast.expr) -> Data:
    """The rows that a slice, a mask or an index takes."""
    if not isinstance(index, ast.Slice):
        value = reader.value(index)
        if isinstance(value, Const) and not isinstance(value.value, str):
            return data
        return _by_index(data, value, index)
    lower, upper = (ast.unparse(e) if e is not None else "" for e in (index.lower, index.upper))
    if lower in ("", "0") and not upper:
        return data
    loop = _window_of(reader, index)
    if loop:
        return frames.lagged(data, "window", index)
    rows = row_sets.part(data.rows, ("slice", data.rows), (lower if lower != "0" else "", upper))
    return via(replace(data, rows=rows), Stop(f"[{lower}:{upper}]", index))


def _window_of(reader: Reader, index: ast.Slice) -> bool:
    """Whether a slice slides: its bounds are the same names and differ by a length, as in `[i:i + n]`."""
    if index.lower is None or index.upper is None:
        return False
    bounds = [{n.id for n in ast.walk(e) if isinstance(n, ast.Name)} for e in (index.lower, index.upper)]
    shared = bounds[0] & bounds[1]
    single = [isinstance(e, ast.Name) or _is_next(e) for e in (index.lower, index.upper)]
    factor = any(isinstance(n, ast.Mult) for e in (index.lower, index.upper) for n in ast.walk(e))
    return bool(shared - reader.strided) and any(single) and not factor  # [i*n:(i+1)*n] does not overlap


def _is_next(node: ast.expr) -> bool:
    """`i + 1`, the step after."""
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Add):
        return False
    return isinstance(node.left, ast.Name) and isinstance(node.right, ast.Constant)


def _by_index(data: Data, value: Value, index: ast.expr) -> Data:
    if isinstance(value, RowIndex):
        rows = data.rows
        for split, side in sorted(value.sides, key=repr):
            rows = row_sets.part(rows, split, side)
        return via(replace(data, rows=rows), Stop("rows of a fold" if value.sides else "rows", index))
    if isinstance(value, Data) and not isinstance(index, (ast.Compare, ast.UnaryOp, ast.BoolOp, ast.BinOp)):
        sides = frozenset(side for _, taken in value.rows for side in taken)
        rows = data.rows
        for split, side in sorted(sides, key=repr):
            rows = row_sets.part(rows, split, side)
        if sides and not row_sets.share(value.rows, data.rows):
            return replace(data, rows=rows, drawn=value.drawn or data.drawn)
    # the same text means other rows when it names something else: a helper that is called twice looks up both times
    which = value.origin if isinstance(value, Thing) else None
    order = (value.drawn or value.shuffled) if isinstance(value, Data) else None
    rows = row_sets.part(data.rows, ("mask", data.rows), (ast.unparse(index), which))
    return replace(data, rows=rows, shuffled=order or data.shuffled)


def store(reader: Reader, target: ast.Subscript, value: Value) -> None:
    """`base[index] = value`."""
    base, index = target.value, target.slice
    if isinstance(base, ast.Attribute) and base.attr in ("loc", "iloc", "at", "iat"):
        holder, base = reader.value(base.value), base.value
        column = index.elts[1] if isinstance(index, ast.Tuple) and len(index.elts) == 2 else None
        names = frames.texts(reader.value(column)) if column is not None and not isinstance(column, ast.Slice) else None
    else:
        holder = reader.value(base)
        key = reader.value(index) if not isinstance(index, (ast.Slice, ast.Tuple)) else None
        names = frames.texts(key)
        if isinstance(holder, Entries) and isinstance(key, Const):
            holder.entries[key.value] = value
            return
    score = held_in(value)
    if score is not None and isinstance(holder, Entries):
        holder.entries[reader.fresh("key")] = score
    elif score is not None and (isinstance(holder, (Thing, Score)) or _made_here(holder)):
        known = held_in(holder)
        reader.assign(base, Score(score.tests | (known.tests if known else frozenset())))
        return
    if type(holder) is Thing and isinstance(value, (Data, Statistic)) and holder.origin is not None:
        holder = replace(as_data(holder) or Data(frozenset()), table=True)
    if not isinstance(holder, Data):
        return
    changed = holder
    for name in names or [None]:  # type: ignore[list-item]
        changed = frames.with_column(changed, name, value)
    reader.assign(base, changed)


def _made_here(holder: Value) -> bool:
    """Whether it is a frame that the program filled itself, such as a table of results."""
    return isinstance(holder, Data) and all(isinstance(key, tuple) and key[0] == "frame" for key, _ in holder.rows)


def delete(reader: Reader, target: ast.Subscript) -> None:
    """`del base[name]`."""
    holder, names = reader.value(target.value), frames.texts(reader.value(target.slice))
    if isinstance(holder, Data) and names and holder.columns is not None:
        columns: Columns = replace(holder.columns, dropped=holder.columns.dropped | set(names))
        reader.assign(target.value, replace(holder, columns=columns))
