"""Where rows come from: files, folders, the data sets of Keras, frames made by hand."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING

from unstuck.source import frames, objects, vocabulary
from unstuck.source import rows as row_sets
from unstuck.source.merging import as_data
from unstuck.source.values import (
    Columns,
    Const,
    Data,
    Items,
    Stop,
    Symbol,
    Thing,
    Value,
    constant,
    named,
)

if TYPE_CHECKING:
    from unstuck.source.calls import Arguments
    from unstuck.source.reader import Reader


def read_table(reader: Reader, symbol: Symbol, arguments: Arguments) -> Value:
    """A table from a file; the same call with constant arguments reads the same rows."""
    node = arguments.node
    assert node is not None
    known = all(isinstance(value, Const) for value in arguments.every()) and arguments.complete and node.args
    key = ("read", symbol.last, ast.unparse(node).partition("(")[2]) if known else reader.fresh("read")
    stop = Stop(symbol.last, node)
    frame = reader.fresh("frame")
    return Data(row_sets.source(key), table=True, columns=Columns(frame), trail=(stop,))


def keras_data_set(symbol: Symbol, node: ast.Call) -> Value:
    name = symbol.path.split(".")[-2]
    coding = "integer" if name in vocabulary.INTEGER_LABELS else ""
    coding = "numbers" if name in vocabulary.NUMBER_TARGETS else coding
    rows, stop = row_sets.source(symbol.path), Stop(f"{name}.load_data", node)

    def side(which: str) -> Value:
        part = row_sets.part(rows, "given", which)
        return Items([Data(part, trail=(stop,)), Data(part, coding=coding, trail=(stop,))])

    return Items([side("train"), side("test")])


def class_data(reader: Reader, symbol: Symbol, arguments: Arguments) -> Value | None:
    """A data set of scikit-learn with labels of a known kind; None for one that comes as a frame."""
    node = arguments.node
    assert node is not None
    if not arguments.complete or "as_frame" in arguments.named:
        return None
    fixed = symbol.last.startswith("load_") or "random_state" in arguments.named
    key = (symbol.path, ast.unparse(node).partition("(")[2]) if fixed else reader.fresh(symbol.last)
    x = Data(row_sets.source(key), trail=(Stop(symbol.last, node),))
    y = replace(x, coding="numbers" if symbol.last in vocabulary.NUMBER_DATA else "integer")
    if symbol.last.startswith("make_") or constant(arguments.get("return_X_y")) is True:
        return Items([x, y])
    parts: dict[str, Value] = {"data": x, "images": x, "target": y}
    keys: dict[str, Value] = {f"[{name!r}]": value for name, value in parts.items()}
    return Thing(symbol.last, symbol.path, node, origin=reader.fresh(symbol.last), attributes=parts | keys)


def folder(reader: Reader, name: str, arguments: Arguments) -> Value:
    """`image_dataset_from_directory`: its subsets are kept apart by the same seed."""
    node = arguments.node
    assert node is not None
    path = objects.folder_key(reader, arguments.get("directory", 0), node)
    subset = named(arguments.get("subset"))
    maker = Thing(name, f"keras.utils.{name}", node, arguments.by_name(), arguments.complete)
    rows = row_sets.source(("folder", path))
    if subset == "both":
        parts = [row_sets.part(rows, "subset", side) for side in ("training", "validation")]
        return Items([Data(part, generator=maker, trail=(Stop(name, node),)) for part in parts])
    if subset:
        rows = row_sets.part(rows, "subset", subset)
    mode = named(arguments.get("label_mode")) or "int"
    coding = {"categorical": "one-hot", "int": "integer", "binary": "binary"}.get(mode, "")
    return Data(rows, generator=maker, coding=coding, trail=(Stop(name, node),))


def windows(reader: Reader, name: str, arguments: Arguments) -> Value:
    """`timeseries_dataset_from_array`: windows over a series, or over the part from `start_index` to `end_index`."""
    node, data = arguments.node, as_data(arguments.get("data", 0))
    if data is None or node is None:
        return reader.unknown()
    stated = {k.arg: ast.unparse(k.value) for k in node.keywords}
    bounds = tuple(stated.get(bound, "").replace("None", "") for bound in ("start_index", "end_index"))
    if any(bounds) and bounds != ("0", ""):
        bounds = ("" if bounds[0] == "0" else bounds[0], bounds[1])
        data = replace(data, rows=row_sets.part(data.rows, ("slice", data.rows), bounds))
    return replace(frames.lagged(data, "window", node), table=False, columns=None, column=None, coding="")


def new_frame(reader: Reader, arguments: Arguments) -> Value:
    data = as_data(arguments.get("data", 0))
    if data is not None:
        return replace(data, table=True, columns=None, column=None)
    return Data(row_sets.source(reader.fresh("frame")), table=True)
