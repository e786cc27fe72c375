"""Calls of imported names: loading, splitting, array functions, metrics, and objects of library classes."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING

from unstuck.source import calls, frames, networks, objects, vocabulary
from unstuck.source import rows as row_sets
from unstuck.source.merging import as_data, below, beside, via
from unstuck.source.names import STAR
from unstuck.source.story import Split, Training
from unstuck.source.values import (
    Columns,
    Const,
    Data,
    Entries,
    Folds,
    Items,
    RowIndex,
    Statistic,
    Stop,
    Symbol,
    Tensor,
    Thing,
    Value,
    constant,
    named,
)

if TYPE_CHECKING:
    from unstuck.source.calls import Arguments
    from unstuck.source.reader import Reader

_SCALARS = frozenset({"len", "int", "float", "str", "bool", "round", "isinstance", "type", "print", "hasattr", "id"})
_ALONG_COLUMNS = (1, "columns")


def call(reader: Reader, symbol: Symbol, arguments: Arguments) -> Value:
    """The value of `symbol(...)`."""
    node, last = arguments.node, symbol.last
    assert node is not None
    if symbol.root == "builtins":
        return _builtin(reader, last, arguments)
    made = networks.construct(reader, symbol, arguments)
    if made is not None:
        return made
    if any(symbol.path.startswith(root) for root in vocabulary.METRIC_ROOTS):
        calls.compared(arguments.every())
    if last == "train_test_split":
        return _train_test_split(reader, arguments)
    if last in vocabulary.CROSS_VALIDATIONS:
        return _cross_validation(reader, arguments)
    if last in vocabulary.READERS:
        return _read(reader, symbol, arguments)
    if last == "load_data" and ".datasets." in symbol.path:
        return _keras_data_set(symbol, node)
    if last in ("image_dataset_from_directory", "text_dataset_from_directory"):
        return _folder(reader, last, arguments)
    if last in vocabulary.COMPOSERS:
        return Thing(vocabulary.COMPOSERS[last], symbol.path, node, arguments.by_name(), arguments.complete)
    if last[:1].isupper() and last not in ("DataFrame", "Series"):
        return Thing(
            last,
            symbol.path,
            node,
            arguments.by_name(),
            arguments.complete,
            origin=reader.fresh(last),
            loops=reader.open_loops,
        )
    return _array_function(reader, symbol, arguments)


def _builtin(reader: Reader, name: str, arguments: Arguments) -> Value:
    first = arguments.get("", 0)
    if name in ("list", "tuple", "iter", "sorted", "reversed") and first is not None:
        return first
    if name == "next" and first is not None:
        return first.each if isinstance(first, Folds) else first
    if name == "enumerate" and first is not None:
        return _enumerated(reader, first)
    if name == "zip":
        return _zipped(reader, arguments)
    if name == "dict" and arguments.named:
        return Entries(dict(arguments.named))
    if name in ("float", "int") and isinstance(first, Const):
        return first
    if name == "range":
        return _range(arguments) or reader.unknown()
    if name in _SCALARS:
        return Thing()
    if name in ("max", "min", "sum", "abs"):
        statistics = [v for v in arguments.every() if isinstance(v, Statistic)]
        return statistics[0] if statistics else Thing()
    return reader.unknown()


def _range(arguments: Arguments) -> Items | None:
    bounds = [constant(value) for value in arguments.positional]
    if not bounds or not all(isinstance(bound, int) for bound in bounds):
        return None
    try:
        numbers = range(*bounds)
    except (TypeError, ValueError):
        return None
    # unrolled only as far as loops are: a network is rarely built from more
    return Items([Const(number) for number in numbers]) if 0 < len(numbers) <= 12 else None


def _enumerated(reader: Reader, over: Value) -> Value:
    if isinstance(over, Folds):
        return Folds(Items([reader.unknown(), over.each]))
    if isinstance(over, Items):
        return Items([Items([Const(i), item]) for i, item in enumerate(over.items)])
    return Items([Items([reader.unknown(), reader.unknown()])])


def _zipped(reader: Reader, arguments: Arguments) -> Value:
    lists = [value.items if isinstance(value, Items) else None for value in arguments.positional]
    if any(isinstance(value, Folds) for value in arguments.positional):
        each = [v.each if isinstance(v, Folds) else reader.unknown() for v in arguments.positional]
        return Folds(Items(each))
    if lists and all(items is not None for items in lists):
        return Items([Items(list(row)) for row in zip(*lists, strict=False)])
    return reader.unknown()


def _train_test_split(reader: Reader, arguments: Arguments) -> Value:
    node = arguments.node
    assert node is not None
    key = reader.fresh("split")
    shuffled = constant(arguments.get("shuffle"), True) is not False
    parts: list[Value] = []
    known: list[Data] = []
    for value in arguments.positional:
        data = value if isinstance(value, Data) else as_data(value)
        for side in ("train", "test"):
            if data is None and not isinstance(value, RowIndex):
                parts.append(reader.unknown())
            elif data is None:
                parts.append(RowIndex(sides=frozenset({(key, side)})))
            else:
                made = via(replace(data, rows=row_sets.part(data.rows, key, side)), Stop("train_test_split", node))
                parts.append(made)
                known.append(made)
    _note_labels(reader, arguments)
    reader.story.splits.append(Split(node, "train_test_split", tuple(known), shuffled))
    if not arguments.complete:
        return reader.unknown()
    return Items(parts)


def _note_labels(reader: Reader, arguments: Arguments) -> None:
    """The last table of `train_test_split(X, y)` holds the labels."""
    last = arguments.positional[-1] if len(arguments.positional) > 1 else None
    if isinstance(last, Data) and last.column:
        reader.story.label_columns.add(last.column)


def _cross_validation(reader: Reader, arguments: Arguments) -> Value:
    model, x = arguments.get("estimator", 0), as_data(arguments.get("X", 1))
    node = arguments.node
    if isinstance(model, Thing) and x is not None and node is not None:
        y = arguments.get("y", 2)
        if isinstance(y, Data) and y.column:
            reader.story.label_columns.add(y.column)
        made = Training(model, node, ast.unparse(node.func).rpartition(".")[2], x, y, inside=True)
        reader.story.trainings.append(made)
    return Thing()


def _read(reader: Reader, symbol: Symbol, arguments: Arguments) -> Value:
    """A table from a file; the same call with constant arguments reads the same rows."""
    node = arguments.node
    assert node is not None
    known = all(isinstance(value, Const) for value in arguments.every()) and arguments.complete and node.args
    key = ("read", symbol.last, ast.unparse(node).partition("(")[2]) if known else reader.fresh("read")
    stop = Stop(symbol.last, node)
    frame = reader.fresh("frame")
    return Data(row_sets.source(key), table=True, columns=Columns(frame), trail=(stop,))


def _keras_data_set(symbol: Symbol, node: ast.Call) -> Value:
    name = symbol.path.split(".")[-2]
    coding = "integer" if name in vocabulary.INTEGER_LABELS else ""
    rows, stop = row_sets.source(symbol.path), Stop(f"{name}.load_data", node)

    def side(which: str) -> Value:
        part = row_sets.part(rows, "given", which)
        return Items([Data(part, trail=(stop,)), Data(part, coding=coding, trail=(stop,))])

    return Items([side("train"), side("test")])


def _folder(reader: Reader, name: str, arguments: Arguments) -> Value:
    """`image_dataset_from_directory`: its subsets are kept apart by the same seed."""
    node = arguments.node
    assert node is not None
    folder = objects.folder_key(reader, arguments.get("directory", 0), node)
    subset = named(arguments.get("subset"))
    maker = Thing(name, f"keras.utils.{name}", node, arguments.by_name(), arguments.complete)
    rows = row_sets.source(("folder", folder))
    if subset == "both":
        parts = [row_sets.part(rows, "subset", side) for side in ("training", "validation")]
        return Items([Data(part, generator=maker, trail=(Stop(name, node),)) for part in parts])
    if subset:
        rows = row_sets.part(rows, "subset", subset)
    mode = named(arguments.get("label_mode")) or "int"
    coding = {"categorical": "one-hot", "int": "integer", "binary": "binary"}.get(mode, "")
    return Data(rows, generator=maker, coding=coding, trail=(Stop(name, node),))


def _array_function(reader: Reader, symbol: Symbol, arguments: Arguments) -> Value:
    node, last = arguments.node, symbol.last
    assert node is not None
    tensors = [v for v in arguments.every() if isinstance(v, Tensor)]
    if tensors:
        return networks.operation(symbol, arguments, tensors)
    if last in vocabulary.BELOW or (symbol.root == "pandas" and last == "concat"):
        return _joined(reader, arguments, below_by_default=True)
    if last in vocabulary.BESIDE:
        return _joined(reader, arguments, below_by_default=False)
    if last == "resample" and symbol.root in ("sklearn", STAR):
        return _resampled(reader, arguments)
    if last in ("repeat", "tile") and symbol.root == "numpy":
        return _repeated(reader, arguments)
    tables = [v for v in arguments.every() if isinstance(v, Data)]
    first = arguments.positional[0] if arguments.positional else None
    if not tables and symbol.root in ("numpy", "pandas", "tensorflow", "keras") and isinstance(first, Thing):
        known = as_data(first)
        tables = [known] if known is not None and last in _OF_TABLES else []
    if isinstance(first, Items) and last in _OF_TABLES:
        known = as_data(first)
        tables = [known] if known is not None else tables
    if not tables:
        computed = _scalar(symbol, arguments)
        if computed is None and last in ("DataFrame", "from_dict"):
            return _new_frame(reader, arguments)
        return computed or reader.unknown()
    if last in vocabulary.SUMMARY_FUNCTIONS and symbol.root in ("numpy", "tensorflow", "keras", "statistics", "scipy"):
        return frames.summary(tables[0], last, arguments.get("axis", _axis_of(last)), node)
    if last in vocabulary.ONE_CALL and symbol.root in ("sklearn", "scipy", STAR):
        return _one_call(reader, last, tables[0], node)
    if symbol.root not in vocabulary.ROW_KEEPING_ROOTS:
        return calls.unknown_call(reader, arguments, symbol.path)
    calls.mark_scored(last, arguments.every())
    return _kept(reader, last, tables, arguments)


_OF_TABLES = frozenset(
    {
        *("array", "asarray", "reshape", "expand_dims", "to_categorical", "pad_sequences", "DataFrame", "squeeze"),
        *("from_tensor_slices", "constant", "convert_to_tensor", "get_dummies", "transpose", "to_numpy", "mean"),
        *("std", "max", "min", "vstack", "stack", "nan_to_num", "log1p", "isnull", "Series", "float32"),
    }
)


def _axis_of(name: str) -> int:
    """Position of `axis` among the arguments of a NumPy function."""
    return 2 if name in ("percentile", "quantile") else 1


def _kept(reader: Reader, name: str, tables: list[Data], arguments: Arguments) -> Value:
    """Functions that give the same rows in another form."""
    data = beside(tables)
    assert data is not None
    if name == "to_categorical" or name == "get_dummies" or name == "one_hot":
        return replace(data, coding="one-hot", columns=None)
    if name == "argmax":
        return replace(data, coding="integer", columns=None)
    if name in ("DataFrame", "Series"):
        return replace(data, table=True, columns=None, column=None)
    if name in ("array", "asarray"):
        return data
    if name == "shuffle" and len(tables) > 1:
        return Items(list(tables))
    if name == "make_classification":
        return reader.unknown()
    if name in ("array_split", "split", "random_split", "split_dataset", "vsplit"):
        return replace(data, made_by="split", columns=None, trail=_trail(data, name, arguments))
    return replace(data, columns=None)


def _trail(data: Data, name: str, arguments: Arguments) -> tuple[Stop, ...]:
    assert arguments.node is not None
    return via(data, Stop(name, arguments.node)).trail


def _scalar(symbol: Symbol, arguments: Arguments) -> Value | None:
    """`np.log(statistic)` is still computed over rows; so is a table of statistics."""
    listed = [item for v in arguments.every() for item in (v.entries.values() if isinstance(v, Entries) else [v])]
    statistics = [v for v in listed if isinstance(v, Statistic)]
    return statistics[0] if statistics and symbol.root in ("numpy", "pandas") else None


def _new_frame(reader: Reader, arguments: Arguments) -> Value:
    data = as_data(arguments.get("data", 0))
    if data is not None:
        return replace(data, table=True, columns=None, column=None)
    return Data(row_sets.source(reader.fresh("frame")), table=True)


def _joined(reader: Reader, arguments: Arguments, *, below_by_default: bool) -> Value:
    parts = [as_data(item) for value in arguments.positional for item in _listed(value)]
    if not any(parts):
        parts = [as_data(item) for item in _listed(arguments.get("objs") or arguments.get("arrays") or Thing())]
    place = {"append": 2, "concatenate": 1, "concat": 1}.get(_name_of(arguments.node))
    axis = constant(arguments.get("axis", place), 0 if below_by_default else 1)
    down = below_by_default and axis not in (*_ALONG_COLUMNS, -1)
    joined = below(parts) if down else beside(parts)
    if joined is None or arguments.node is None:
        return reader.unknown()
    if not down:
        return joined
    if _name_of(arguments.node) != "vstack" and _twice(parts):  # vstack also puts single columns below each other
        made = frames.fitted_on(joined, "concatenate", "resampling", arguments.node)
        joined = replace(joined, copies=joined.copies | {made})
    return via(joined, Stop("concatenated", arguments.node))


def _name_of(node: ast.Call | None) -> str:
    func = node.func if node is not None else None
    return func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""


def _twice(parts: list[Data | None]) -> bool:
    """Whether the same rows are put below themselves, as an augmented copy is; single columns are not rows."""
    known = [part for part in parts if part is not None and part.column is None]
    return any(one.rows == other.rows for i, one in enumerate(known) for other in known[:i])


def _listed(value: Value) -> list[Value]:
    return value.items if isinstance(value, Items) else [value]


def _resampled(reader: Reader, arguments: Arguments) -> Value:
    """`sklearn.utils.resample`: draws rows with replacement."""
    tables = [v for v in arguments.every() if isinstance(v, Data)]
    if not tables or arguments.node is None or constant(arguments.get("replace"), True) is False:
        return tables[0] if len(tables) == 1 else Items(list(tables)) if tables else reader.unknown()
    made = frames.fitted_on(tables[0], "resample", "resampling", arguments.node)
    reader.story.fittings.append(made)
    copied = [via(replace(t, copies=t.copies | {made}), Stop("resample", arguments.node)) for t in tables]
    return copied[0] if len(copied) == 1 else Items(list(copied))


def _repeated(reader: Reader, arguments: Arguments) -> Value:
    """`np.repeat` and `np.tile` along the rows."""
    data = as_data(arguments.get("a", 0))
    if data is None or arguments.node is None:
        return reader.unknown()
    axis = constant(arguments.get("axis", 2), None)
    if axis != 0:
        return data
    made = frames.fitted_on(data, "repeat", "resampling", arguments.node)
    return via(replace(data, copies=data.copies | {made}), Stop("repeat", arguments.node))


def _one_call(reader: Reader, name: str, data: Data, node: ast.Call) -> Value:
    made = frames.fitted_on(data, name, "statistics", node)
    reader.story.fittings.append(made)
    return via(replace(frames.tainted(data, made, data.column), columns=None), Stop(name, node))
