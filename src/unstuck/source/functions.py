"""Calls of imported names: loading, splitting, array functions, metrics, and objects of library classes."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING

from unstuck.source import calls, frames, joining, loading, networks, scores, vocabulary
from unstuck.source import rows as row_sets
from unstuck.source.merging import as_data, beside, names_columns, variant, via
from unstuck.source.names import STAR
from unstuck.source.story import Split, Training
from unstuck.source.values import (
    Const,
    Data,
    Entries,
    Folds,
    Items,
    Names,
    RowIndex,
    Statistic,
    Stop,
    Symbol,
    Thing,
    Value,
    constant,
    tensors_in,
)

if TYPE_CHECKING:
    from unstuck.source.calls import Arguments
    from unstuck.source.reader import Reader

_SCALARS = frozenset({"len", "int", "float", "str", "bool", "round", "isinstance", "type", "print", "hasattr", "id"})


def call(reader: Reader, symbol: Symbol, arguments: Arguments) -> Value:
    """The value of `symbol(...)`."""
    node, last = arguments.node, symbol.last
    assert node is not None
    if symbol.root == "builtins":
        return _builtin(reader, last, arguments)
    reader.story.seedings += last in vocabulary.SEEDING
    if last in vocabulary.PROGRAM_WIDE:
        reader.story.called.append((symbol, node, tuple(arguments.every())))
    made = networks.construct(reader, symbol, arguments)
    if made is not None:
        return made
    if any(symbol.path.startswith(root) for root in vocabulary.METRIC_ROOTS):
        calls.compared(arguments.every())
        score = scores.score_of(arguments.every())
        if score is not None:
            return score
    if last == "train_test_split":
        return _train_test_split(reader, arguments)
    if last in vocabulary.CROSS_VALIDATIONS:
        return _cross_validation(reader, arguments)
    if last in vocabulary.READERS:
        return loading.read_table(reader, symbol, arguments)
    if last == "load_data" and ".datasets." in symbol.path:
        return loading.keras_data_set(symbol, node)
    if (
        last in vocabulary.CLASS_DATA | vocabulary.NUMBER_DATA
        and (made := loading.class_data(reader, symbol, arguments)) is not None
    ):
        return made
    if last in ("image_dataset_from_directory", "text_dataset_from_directory"):
        return loading.folder(reader, last, arguments)
    if last in ("timeseries_dataset_from_array", "TimeseriesGenerator"):
        return loading.windows(reader, last, arguments)
    if last in vocabulary.COMPOSERS:
        return Thing(vocabulary.COMPOSERS[last], symbol.path, node, arguments.by_name(), arguments.complete)
    made_here = last[:1].isupper() and last not in ("DataFrame", "Series")
    if made_here or symbol.path.startswith("keras.regularizers."):
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
    if name in scores.PICKS:
        scores.pick([*arguments.every(), Items(list(arguments.positional))])
    if name in ("list", "tuple", "iter", "sorted", "reversed", "set") and first is not None:
        return Names() if names_columns(first) else first
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
    score = scores.held_in(first)
    if score is not None and name not in ("print", "zip", "enumerate", "dict"):
        return score
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
    reader.story.splits.append(Split(node, "train_test_split", tuple(known), shuffled, reader.open_loops))
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


def _array_function(reader: Reader, symbol: Symbol, arguments: Arguments) -> Value:
    node, last = arguments.node, symbol.last
    assert node is not None
    tensors = tensors_in(arguments.every())
    if tensors:
        return networks.operation(symbol, arguments, tensors)
    score = scores.held_in(Items(list(arguments.every())))
    if score is not None:
        if last in scores.PICKS:
            scores.pick([score])
        return score
    if (last in vocabulary.BELOW or last in ("hstack", "array", "asarray")) and in_blocks(node):
        return Data(row_sets.source(reader.fresh("labels")), in_blocks=node)
    if last in vocabulary.BELOW or (symbol.root == "pandas" and last == "concat"):
        return joining.joined(reader, arguments, below_by_default=True)
    if last in vocabulary.BESIDE:
        return joining.joined(reader, arguments, below_by_default=False)
    if last == "resample" and symbol.root in ("sklearn", STAR):
        return joining.resampled(reader, arguments)
    if last in ("repeat", "tile") and symbol.root == "numpy":
        return joining.repeated(reader, arguments)
    if last in vocabulary.AUGMENTATIONS:
        return variant(arguments.get("", 0), node) or reader.unknown()
    if last == "permutation" and isinstance(arguments.get("x", 0), (Thing, Const)):
        return Data(row_sets.source(reader.fresh("order")), drawn=reader.story.draws_order(node))
    if last == "shuffle" and symbol.path in ("numpy.random.shuffle", "random.shuffle"):
        return frames.shuffle_in_place(reader, arguments)
    tables = [v for v in arguments.every() if isinstance(v, Data)]
    first = arguments.positional[0] if arguments.positional else None
    if not tables and symbol.root in ("numpy", "pandas", "tensorflow", "keras") and isinstance(first, Thing):
        known = as_data(first)
        tables = [known] if known is not None and last in _OF_TABLES else []
    if isinstance(first, Items) and last in _OF_TABLES:
        known = as_data(first)
        tables = [known] if known is not None else tables
    if last == "shuffle" and symbol.root in ("sklearn", STAR) and not tables:
        tables = [data for data in map(as_data, arguments.positional) if data is not None]
    if not tables:
        computed = _scalar(symbol, arguments)
        if computed is None and last in ("DataFrame", "from_dict"):
            return loading.new_frame(reader, arguments)
        return computed or reader.unknown()
    if last in vocabulary.SUMMARY_FUNCTIONS and symbol.root in ("numpy", "tensorflow", "keras", "statistics", "scipy"):
        return frames.summary(tables[0], last, arguments.get("axis", _axis_of(last)), node)
    if last in vocabulary.ONE_CALL and symbol.root in ("sklearn", "scipy", "pandas", STAR):
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
    if name in ("argmax", "round", "rint", "around"):
        frames.read_as_classes(reader, data, name, arguments, position=1)
    if name == "argmax":
        return replace(data, coding="integer", columns=None)
    if name in ("DataFrame", "Series"):
        return replace(data, table=True, columns=None, column=None)
    if name in ("array", "asarray"):
        return data
    if name == "from_tensor_slices":
        return replace(data, table=False, columns=None)
    if name in ("shuffle", "permutation"):
        assert arguments.node is not None
        mixed = [replace(table, shuffled=reader.story.draws_order(arguments.node)) for table in tables]
        return Items(list(mixed)) if len(mixed) > 1 else mixed[0]
    if name == "make_classification":
        return reader.unknown()
    if name in ("array_split", "split", "random_split", "split_dataset", "vsplit"):
        return replace(data, made_by="split", columns=None, trail=_trail(data, name, arguments))
    scale = data.coding != "numbers" or name in ("reshape", "expand_dims", "squeeze", "ravel", "float32")
    return replace(data, columns=None, coding=data.coding if scale else "")


def _trail(data: Data, name: str, arguments: Arguments) -> tuple[Stop, ...]:
    assert arguments.node is not None
    return via(data, Stop(name, arguments.node)).trail


def in_blocks(node: ast.Call) -> bool:
    """Whether labels are put together class by class: `hstack([zeros(50), ones(50)])`, `array([0] * 50 + [1] * 50)`."""
    first = node.args[0] if node.args else None
    if isinstance(first, ast.BinOp) and isinstance(first.op, ast.Add):
        parts: list[ast.expr] = [first.left, first.right]
        while isinstance(parts[0], ast.BinOp) and isinstance(parts[0].op, ast.Add):
            parts[:1] = [parts[0].left, parts[0].right]
    elif isinstance(first, (ast.List, ast.Tuple)):
        parts = list(first.elts)
    else:
        return False
    classes = [_one_class(part) for part in parts]
    return len(classes) > 1 and None not in classes and len(set(classes)) == len(classes)


def _one_class(node: ast.expr) -> str | None:
    """The label that `zeros(n)`, `full(n, 2)`, `[1] * n` or `np.ones(n) * 2` holds throughout."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        if isinstance(node.left, ast.List) and len(node.left.elts) == 1 and isinstance(node.left.elts[0], ast.Constant):
            return ast.unparse(node.left.elts[0])
        return (
            ast.unparse(node.right) if _one_class(node.left) == "1" and isinstance(node.right, ast.Constant) else None
        )
    if not isinstance(node, ast.Call):
        return None
    name = node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
    plain = len(node.args) == 1 and not isinstance(node.args[0], (ast.Tuple, ast.List))
    if name in ("zeros", "ones") and plain:
        return "0" if name == "zeros" else "1"
    label = node.args[1] if name == "full" and len(node.args) == 2 else None
    return ast.unparse(label) if isinstance(label, ast.Constant) else None


def _scalar(symbol: Symbol, arguments: Arguments) -> Value | None:
    """`np.log(statistic)` is still computed over rows; so is a table of statistics."""
    listed = [item for v in arguments.every() for item in (v.entries.values() if isinstance(v, Entries) else [v])]
    statistics = [v for v in listed if isinstance(v, Statistic)]
    return statistics[0] if statistics and symbol.root in ("numpy", "pandas") else None


def _one_call(reader: Reader, name: str, data: Data, node: ast.Call) -> Value:
    made = frames.fitted_on(data, name, "statistics", node)
    reader.story.fittings.append(made)
    return via(replace(frames.tainted(data, made, data.column), columns=None), Stop(name, node))
