"""pandas frames, NumPy arrays and tf.data sets: which of their methods keep rows, cut them or compute over them."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from unstuck.source import rows as row_sets
from unstuck.source import vocabulary
from unstuck.source.merging import as_data, below, beside, via
from unstuck.source.story import Reading
from unstuck.source.values import (
    NOTHING,
    Bins,
    Const,
    Data,
    Fitting,
    Function,
    Grouped,
    Items,
    Kind,
    Names,
    Rolling,
    RowIndex,
    Score,
    Statistic,
    Stop,
    Symbol,
    Thing,
    Value,
    constant,
)

if TYPE_CHECKING:
    from unstuck.source.calls import Arguments
    from unstuck.source.reader import Reader

_TABLE_METHODS = frozenset(
    {
        *("fillna", "dropna", "drop", "groupby", "rolling", "sort_values", "reset_index", "set_index", "astype"),
        *("reshape", "to_numpy", "sample", "iterrows", "drop_duplicates", "apply", "isnull", "copy", "ravel"),
        *("shuffle", "batch", "prefetch", "take", "skip", "shift", "pct_change", "get_dummies", "flatten", "mean"),
    }
)
_SHUFFLES = ("sample", "shuffle")
_REPLACING = ("fillna", "replace", "sub", "subtract", "div", "divide", "truediv", "clip", "mul", "add")
_WINDOWS = ("rolling", "ewm", "expanding")


def only_tables_have(name: str) -> bool:
    return name in _TABLE_METHODS


def attribute(reader: Reader, data: Data, node: ast.Attribute) -> Value:
    """`data.name` where it is not called."""
    name = node.attr
    if name in vocabulary.SAME_ROWS:
        return data
    if name == "index":
        return RowIndex(of=data)
    if name == "classes" and data.generator is not None:
        reader.story.ordered_labels.add(data.generator)
        return replace(data, taints=frozenset(), coding="integer")
    if name == "columns":
        return Names()
    if name in vocabulary.NO_ROWS:
        return Thing()
    if data.table:
        return column_of(data, name)
    return replace(data, rows=row_sets.child(data.rows, name), columns=None)


def method(reader: Reader, data: Data, name: str, arguments: Arguments) -> Value:
    """`data.name(...)`."""
    node = arguments.node
    assert node is not None
    if name in vocabulary.NOT_ROWS_METHODS:
        return Thing()
    if name in vocabulary.SUMMARIES:
        return summary(data, name, arguments.get("axis", 0), node)
    if name in ("corr", "corrwith"):
        return Statistic(Fitting("corr", "selection", node, data.rows, data.trail))
    if name == "groupby":
        return Grouped(data)
    if name in _WINDOWS:
        return Rolling(data, ahead=constant(arguments.get("center")) is True)
    if name == "resample":
        return Bins(data)
    result = _changed(reader, data, name, arguments, node)
    in_place = constant(arguments.get("inplace")) is True or (name in ("append", "extend") and not data.table)
    if in_place and isinstance(node.func, ast.Attribute):  # what is no frame and appends is a list
        reader.assign(node.func.value, result)
        return NOTHING
    return result


def _changed(reader: Reader, data: Data, name: str, arguments: Arguments, node: ast.Call) -> Value:
    if name in vocabulary.SHIFTS:
        return lagged(data, name, node, ahead=_backwards(arguments))
    if name in _SHUFFLES:
        return _shuffled(reader, data, name, arguments, node)
    if name in ("take", "skip") and not data.table:
        return _taken(data, name, arguments, node)
    if name == "cache":
        return replace(data, reshuffled=None)
    if name == "rank":
        return tainted(replace(data, columns=None), fitted_on(data, "rank", "statistics", node), data.column)
    if name == "with_columns":
        return _with_expressions(data, node)
    if name == "drop":
        return _dropped(data, arguments)
    if name == "pop":
        return _popped(reader, data, arguments, node)
    if name in ("append", "extend", "concatenate"):
        return _put_below(data, arguments, node)
    if name in ("merge", "join", "assign"):
        return beside([data, *(as_data(v) for v in arguments.every() if isinstance(v, (Data, Statistic)))]) or data
    if name in _REPLACING:
        return _with_arguments(data, arguments, node)
    if name in ("apply", "map", "transform", "applymap", "pipe"):
        return _applied(reader, data, name, arguments, node)
    if name in ("argmax", "round"):
        read_as_classes(reader, data, name, arguments, position=0)
    if name == "argmax":
        return replace(data, coding="integer", columns=None, column=None)
    if name in ("rename", "sort_index", "sort_values", "reset_index", "dropna", "drop_duplicates", "copy", "astype"):
        return data
    if name == "to_frame":
        return data
    return replace(data, columns=None, column=None) if name not in ("head", "tail") else _cut(data, name, arguments)


def _put_below(data: Data, arguments: Arguments, node: ast.Call) -> Data:
    """`frame.append(other)`, or an item more for the rows that a list collects in a loop."""
    from unstuck.source import joining

    parts = [as_data(item) for value in arguments.positional for item in joining.listed(value)]
    if not data.table and len(parts) == 1 and parts[0] is not None and parts[0].augmented is not None:
        return joining.collected([data], parts[0], node)
    table = below([data, *parts]) or data
    if data.table and joining.twice([data, *parts]):
        made = fitted_on(table, "append", "resampling", node)
        table = replace(table, copies=table.copies | {made})
    return table


def summary(data: Data, name: str, axis: Value | None, node: ast.Call) -> Value:
    """A statistic over rows; along another axis it is a new column."""
    along = [constant(a) for a in axis.items] if isinstance(axis, Items) else [constant(axis, 0)]
    if not {0, None, "index", "rows"} & set(along):
        return replace(data, columns=None, column=None)
    if any(test.scored for test in data.tests):
        return Score(data.tests)  # the share of right answers
    return Statistic(Fitting(name, "statistics", node, data.rows, data.trail, column=data.column))


def lagged(data: Data, name: str, node: ast.AST, *, ahead: bool = False) -> Data:
    """Rows that hold values of other rows; with `ahead`, of later ones."""
    found = replace(data, lags=data.lags | {Fitting(name, "lag", node, data.rows, data.trail)})
    return tainted(found, Fitting(name, "ahead", node, data.rows, data.trail), data.column) if ahead else found


def _backwards(arguments: Arguments) -> bool:
    """Whether `shift(periods)` and its like take values of later rows."""
    periods = constant(arguments.get("periods", 0))
    return isinstance(periods, (int, float)) and periods < 0


def shuffle_in_place(reader: Reader, arguments: Arguments) -> Value:
    """`np.random.shuffle(x)`."""
    node = arguments.node
    data = as_data(arguments.positional[0]) if len(arguments.positional) == 1 else None
    if data is not None and node is not None and isinstance(node.args[0], ast.Name):
        reader.assign(node.args[0], replace(data, shuffled=reader.story.draws_order(node)))
    return NOTHING


def read_as_classes(reader: Reader, data: Data, name: str, arguments: Arguments, position: int) -> None:
    """Note that predictions become classes; `position` is that of the axis among the arguments."""
    if data.tests and arguments.node is not None:
        if name == "argmax":
            made = Reading(arguments.node, "argmax", constant(arguments.get("axis", position)), data.tests)
        else:
            made = Reading(arguments.node, "threshold", 0.5, data.tests)
        reader.story.readings.append(made)


def _shuffled(reader: Reader, data: Data, name: str, arguments: Arguments, node: ast.Call) -> Data:
    if name == "sample":
        whole = constant(arguments.get("frac", 1)) == 1
        key = ("sample", node.lineno, node.col_offset)
        data = replace(data, shuffled=reader.story.draws_order(node))
        drawn = via(data, Stop("sample", node)) if whole else replace(data, rows=row_sets.part(data.rows, key, "in"))
        if constant(arguments.get("replace")) is True:  # some rows are drawn often, and some not at all
            made = fitted_on(data, "sample", "resampling", node)
            drawn = replace(drawn, rows=row_sets.part(data.rows, key, "in"), copies=drawn.copies | {made})
        return drawn
    again = constant(arguments.get("reshuffle_each_iteration", 2), True)
    fitting = Fitting("shuffle", "shuffle", node, data.rows, data.trail) if again is True else None
    return via(replace(data, reshuffled=fitting or data.reshuffled), Stop("shuffle", node))


def _taken(data: Data, name: str, arguments: Arguments, node: ast.Call) -> Data:
    amount = ast.unparse(node.args[0]) if node.args else "?"
    cut = replace(data, rows=row_sets.part(data.rows, ("take", amount), name), columns=None)
    return via(cut, Stop(name, node))


def _cut(data: Data, name: str, arguments: Arguments) -> Data:
    amount = ast.unparse(arguments.node) if arguments.node else ""
    return replace(data, rows=row_sets.part(data.rows, ("end", name), amount.partition("(")[2]))


def _dropped(data: Data, arguments: Arguments) -> Data:
    what = arguments.get("columns") or arguments.get("labels", 0) or arguments.get("index")
    if isinstance(what, RowIndex):
        if what.of is not None:
            return _without(data, row_sets.added(what.of.rows, data.rows))
        return _without(data, what.sides)
    names = texts(what)
    by_column = arguments.get("columns") is not None or constant(arguments.get("axis", 1)) in (1, "columns")
    if names is None or not by_column:
        return replace(data, columns=None) if by_column else data
    columns = data.columns
    if columns is not None:
        only = columns.only - set(names) if columns.only is not None else None
        columns = replace(columns, dropped=columns.dropped | set(names), only=only)
    kept = frozenset(t for t in data.taints if t[1] is None or t[1] not in names)
    return replace(data, columns=columns, taints=kept)


def _without(data: Data, sides: frozenset[row_sets.Side]) -> Data:
    rows = data.rows
    for split, side in sides:
        rows = row_sets.part(rows, split, ("not", side))
    return replace(data, rows=rows)


def _popped(reader: Reader, data: Data, arguments: Arguments, node: ast.Call) -> Data:
    name = constant(arguments.get("item", 0))
    if not isinstance(name, str) or not isinstance(node.func, ast.Attribute):
        return replace(data, columns=None)
    if data.columns is not None:
        rest = replace(data.columns, dropped=data.columns.dropped | {name})
        reader.assign(node.func.value, replace(data, columns=rest))
    return column_of(data, name)


def _with_arguments(data: Data, arguments: Arguments, node: ast.Call) -> Data:
    """`fillna(mean)`, `sub(mean)`: a statistic goes into the rows."""
    found = data
    for value in arguments.every():
        if isinstance(value, Statistic):
            found = via(tainted(found, value.fitting, data.column), Stop(f"with the {value.fitting.name}", node))
        elif isinstance(value, Data):
            found = replace(found, taints=found.taints | value.taints, lags=found.lags | value.lags)
    return found


def _with_expressions(data: Data, node: ast.Call) -> Data:
    """polars: `with_columns(pl.col("a") - pl.col("a").mean())` computes over all rows of the frame."""
    for inner in ast.walk(node):
        func = inner.func if isinstance(inner, ast.Call) else None
        if isinstance(func, ast.Attribute) and func.attr in vocabulary.SUMMARIES and ".col(" in ast.unparse(func.value):
            return tainted(replace(data, columns=None), fitted_on(data, func.attr, "statistics", inner), None)
    return replace(data, columns=None)


def _applied(reader: Reader, data: Data, name: str, arguments: Arguments, node: ast.Call) -> Value:
    function = arguments.get("func", 0)
    across = data.column is None and constant(arguments.get("axis", 1), 0) in (0, "index") and name == "apply"
    found = data
    if isinstance(function, Function) and function.node.args.args:
        from unstuck.source.calls import Arguments as Given

        given: Value = data if across and data.table else reader.unknown()
        result = reader.inline(function, Given([given], {}, node))
        if isinstance(result, Data) and result.rows == data.rows:
            found = result
        for used in _statistics_in(reader, function):
            found = tainted(found, used.fitting, data.column)
    elif isinstance(function, Symbol) and function.last in vocabulary.ONE_CALL and arguments.node is not None:
        found = tainted(data, fitted_on(data, function.last, "statistics", arguments.node), data.column)
    elif isinstance(function, Statistic):  # map(series of group means)
        found = tainted(found, function.fitting, data.column)
    return replace(found, columns=data.columns, column=data.column)


def _statistics_in(reader: Reader, function: Function) -> list[Statistic]:
    """Statistics of the surroundings that a lambda uses."""
    if not isinstance(function.node, ast.Lambda):
        return []
    names = {n.id for n in ast.walk(function.node.body) if isinstance(n, ast.Name)}
    values = [function.scope.find(name) for name in sorted(names)]
    return [value for value in values if isinstance(value, Statistic)]


def grouped_method(reader: Reader, receiver: Grouped | Rolling, name: str, arguments: Arguments) -> Value:
    """`groupby(...).name(...)` or `rolling(...).name(...)`."""
    node, data = arguments.node, receiver.data
    assert node is not None
    if isinstance(receiver, Rolling):
        return lagged(data, "rolling", node, ahead=receiver.ahead)
    if name in vocabulary.SHIFTS or name in _WINDOWS:
        return lagged(data, name, node, ahead=name in vocabulary.SHIFTS and _backwards(arguments))
    if name == "transform":
        return tainted(data, group_statistic(data, str(constant(arguments.get("func", 0), "transform")), node), None)
    if name in vocabulary.SUMMARIES or name in ("agg", "aggregate"):
        return Statistic(group_statistic(data, name, node))
    return Thing() if name in vocabulary.NOT_ROWS_METHODS else replace(data, columns=None)


def group_statistic(data: Data, name: str, node: ast.AST) -> Fitting:
    return Fitting(name, "statistics", node, data.rows, data.trail, column=data.column, grouped=True)


def tainted(data: Data, fitting: Fitting, column: str | None) -> Data:
    """The rows after something that was computed from rows went into them."""
    return replace(data, taints=data.taints | {(fitting, column)})


def column_of(data: Data, name: str) -> Data:
    """One column of a frame."""
    taints = frozenset(t for t in data.taints if t[1] in (None, name))
    columns = replace(data.columns, dropped=frozenset(), only=frozenset({name})) if data.columns else None
    return replace(data, taints=taints, columns=columns, column=name, coding="")


def columns_of(data: Data, names: Sequence[str]) -> Data:
    taints = frozenset(t for t in data.taints if t[1] is None or t[1] in names)
    columns = replace(data.columns, dropped=frozenset(), only=frozenset(names)) if data.columns else None
    return replace(data, taints=taints, columns=columns, column=None)


def with_column(data: Data, name: str | None, value: Value) -> Data:
    """A frame after a column (None: some columns) was put in."""
    incoming: frozenset[tuple[Fitting, str | None]] = frozenset()
    lags = data.lags
    if isinstance(value, Data):
        incoming = frozenset((fitting, name) for fitting, _ in value.taints)
        lags |= value.lags
    elif isinstance(value, Statistic):
        incoming = frozenset({(value.fitting, name)})
    kept = frozenset(t for t in data.taints if name is None or t[1] != name)
    columns = data.columns
    if columns is not None and name is not None:
        only = columns.only | {name} if columns.only is not None else None
        made = frozenset(pair for pair in columns.made if pair[0] != name)
        if isinstance(value, Data) and _made_from_one(value, data, name):
            made |= {(name, str(value.column))}
        columns = replace(columns, dropped=columns.dropped - {name}, only=only, made=made)
    return replace(data, taints=kept | incoming, lags=lags, columns=columns)


def _made_from_one(value: Data, frame: Data, name: str) -> bool:
    """Whether a new column holds what one other column of the frame says of the same row."""
    if value.column in (None, name) or value.lags or value.rows != frame.rows or frame.columns is None:
        return False
    return value.columns is None or value.columns.frame == frame.columns.frame


def texts(value: Value | None) -> list[str] | None:
    """Names of columns that the code states; None if they are not known."""
    if isinstance(value, Const) and isinstance(value.value, str):
        return [value.value]
    if isinstance(value, Items):
        found = [constant(item) for item in value.items]
        return found if all(isinstance(name, str) for name in found) else None
    return None


def fitted_on(data: Data, name: str, kind: Kind, node: ast.AST) -> Fitting:
    return Fitting(name, kind, node, data.rows, via(data, Stop(name, node)).trail, column=data.column)
