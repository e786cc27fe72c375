"""What the reader knows of a value: where its rows come from and what was fitted on them; layers, models, constants."""

from __future__ import annotations

import ast
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from unstuck.source import rows as row_sets
from unstuck.source.rows import Rows

Kind = Literal["statistics", "encoder", "selection", "encoding with labels", "resampling", "lag", "ahead", "shuffle"]


@dataclass(frozen=True)
class Stop:
    """A station on the way of some rows: what was done, and where."""

    text: str
    node: ast.AST


@dataclass(eq=False)
class Fitting:
    """Something that was computed from rows and goes on into others.

    Attributes:
        name: of the class or function: `StandardScaler`, `mean`.
        kind: what it is; supervised kinds have seen labels.
        rows: what it was computed from.
        trail: how these rows came there.
        column: the column whose statistic it is, where it is known.
        grouped: whether it was computed for each group of rows.
    """

    name: str
    kind: Kind
    node: ast.AST
    rows: Rows
    trail: tuple[Stop, ...] = ()
    column: str | None = None
    grouped: bool = False


Taint = tuple[Fitting, str | None]
"""A fitting, and the column it went into (None: any)."""


class Value:
    """Base of all abstract values."""


class Scope:
    """Names of a module, function or class body, and those around it."""

    def __init__(self, around: Scope | None = None) -> None:
        self.names: dict[str, Value] = {}
        self.around = around
        self.outer: set[str] = set()
        """Names declared `global` or `nonlocal`."""

    def bind(self, name: str, value: Value) -> None:
        scope = self
        if name in self.outer and self.around is not None:
            scope = self.around
            while name not in scope.names and scope.around is not None:
                scope = scope.around
        scope.names[name] = value

    def find(self, name: str) -> Value | None:
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope.names[name]
            scope = scope.around
        return None


@dataclass(frozen=True)
class Const(Value):
    """A value that the code states."""

    value: Any


@dataclass(eq=False)
class Items(Value):
    """A list or tuple whose items are known."""

    items: list[Value]


@dataclass(eq=False)
class Entries(Value):
    """A dictionary with keys that are known."""

    entries: dict[Any, Value]


@dataclass(frozen=True)
class Symbol(Value):
    """An imported or built-in name with its full path: `sklearn.preprocessing.StandardScaler`."""

    path: str

    @property
    def last(self) -> str:
        return self.path.rpartition(".")[2]

    @property
    def root(self) -> str:
        return self.path.partition(".")[0]


@dataclass(eq=False)
class Function(Value):
    """A function or method of the same file; `owner` is the bound instance."""

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    scope: Scope
    owner: Value | None = None


@dataclass(eq=False)
class Class(Value):
    """A class of the same file. `fields`: what its body assigns, and what is assigned to it afterwards."""

    node: ast.ClassDef
    scope: Scope
    methods: dict[str, ast.FunctionDef]
    bases: tuple[str, ...]
    fields: dict[str, Value] = field(default_factory=dict)


@dataclass(eq=False)
class Thing(Value):
    """An object: of a library class, of a class of the file, or of no known kind.

    Attributes:
        name: of its class, "" if unknown; path: the full path.
        arguments: given to its constructor, by name (`#0` for the first without a name).
        origin: key of the rows it stands for when it is used as data.
    """

    name: str = ""
    path: str = ""
    node: ast.AST | None = None
    arguments: dict[str, Value] = field(default_factory=dict)
    complete: bool = True
    """Whether all arguments are known; False with `*args` or `**kwargs`."""
    attributes: dict[str, Value] = field(default_factory=dict)
    cls: Class | None = None
    origin: Hashable = None
    fitted: Fitting | None = None
    loops: tuple[int, ...] = ()

    def argument(self, name: str, position: int | None = None) -> Value | None:
        return _handed(self.arguments, name, position)


@dataclass(frozen=True)
class Columns:
    """The columns of a table: those of a frame without some, or (`only`) those named."""

    frame: Hashable
    dropped: frozenset[str] = frozenset()
    only: frozenset[str] | None = None
    made: frozenset[tuple[str, str]] = frozenset()
    """Columns that were made from one other, each with that one: `df["adult"] = df["age"] >= 18`."""

    def has(self, name: str) -> bool:
        return name in self.only if self.only is not None else name not in self.dropped


@dataclass(frozen=True)
class Data(Value):
    """Rows, whatever holds them.

    Attributes:
        taints: what was computed from rows and went into these values.
        copies: resamplings behind it: rows may be copies or blends of each other.
        lags: operations that put neighbouring rows into one row.
        reshuffled: a tf.data shuffle that draws anew each epoch and was not frozen by a cache since.
        coding: how labels are written: `one-hot`, `multi-hot`, `integer`, `binary`, `numbers` (no classes) or "".
        table: whether it is a pandas frame or series. columns: None if unknown.
        column: its name if it is one column.
        made_by: the function it came out of, when nothing is known of that function.
        generator: the reader of a folder behind it.
    """

    rows: Rows
    taints: frozenset[Taint] = frozenset()
    copies: frozenset[Fitting] = frozenset()
    lags: frozenset[Fitting] = frozenset()
    reshuffled: Fitting | None = None
    coding: str = ""
    table: bool = False
    columns: Columns | None = None
    column: str | None = None
    made_by: str = ""
    trail: tuple[Stop, ...] = ()
    tests: frozenset[Any] = frozenset()
    """Predictions of these tests."""
    generator: Thing | None = None
    drawn: ast.AST | None = None
    """Where the order of these row numbers, or of rows taken by them, was drawn at random."""
    shuffled: ast.AST | None = None
    """Where the rows were last put in a random order, alone or together with others."""
    in_blocks: ast.AST | None = None
    """Where labels were written one class after the other."""
    rescaled: ast.AST | None = None
    """Where the values were divided by 255."""
    augmented: ast.AST | None = None
    """Where they were mirrored, turned or otherwise varied: beside the originals they are copies."""


@dataclass(frozen=True)
class Statistic(Value):
    """A number or a few, computed over rows."""

    fitting: Fitting


@dataclass(frozen=True)
class Score(Value):
    """What some tests came to, or a collection of such numbers."""

    tests: frozenset[Any]


@dataclass(frozen=True)
class Grouped(Value):
    """`frame.groupby(...)`, perhaps with a column taken."""

    data: Data


@dataclass(frozen=True)
class Rolling(Value):
    """`series.rolling(...)`: what it yields holds values of neighbouring rows, of later ones too if it is centred."""

    data: Data
    ahead: bool = False


@dataclass(frozen=True)
class Bins(Value):
    """`series.resample("D")`: what it yields is the series itself, in other steps of time."""

    data: Data


@dataclass(frozen=True)
class RowIndex(Value):
    """Row labels or numbers: the sides they stand for, or the table whose index they are."""

    sides: frozenset[row_sets.Side] = frozenset()
    of: Data | None = None


@dataclass(eq=False)
class Mask(Value):
    """A truth value for each row."""


@dataclass(eq=False)
class Names(Value):
    """Names of columns, it is not known which."""


@dataclass(frozen=True)
class Folds(Value):
    """What a cross-validator yields; `each` is one of its items."""

    each: Value


@dataclass(eq=False)
class Layer(Thing):
    """A Keras layer."""

    trainable: bool | None = True
    """None when it was set to something that is not known."""


@dataclass(eq=False)
class Tensor(Value):
    """A symbolic tensor: the layer that made it, from which tensors. `layer` None: something unknown, or an input."""

    layer: Layer | None
    inputs: tuple[Tensor, ...] = ()
    known: bool = True
    used: bool = False
    """Whether anything was computed from it, or it was handed to anything."""

    def __post_init__(self) -> None:
        for tensor in self.inputs:
            tensor.used = True


@dataclass(eq=False)
class Compiled:
    """A call of `compile`."""

    node: ast.Call
    arguments: dict[str, Value]
    complete: bool = True

    def argument(self, name: str, position: int) -> Value | None:
        return _handed(self.arguments, name, position)


@dataclass(eq=False)
class Network(Layer):
    """A Keras model. `layers` is None when they are not known.

    Attributes:
        outputs: of a functional model.
        own_class: a subclass of Model, which may do anything.
    """

    layers: list[Layer] | None = None
    outputs: list[Tensor] | None = None
    own_class: bool = False
    compiled: Compiled | None = None
    trained: bool = False
    thawed: ast.AST | None = None
    """Where `trainable` was changed after the last fit, without a compile since."""
    loaded: bool = False
    """Weights came from elsewhere."""
    restored: tuple[int, ...] = ()
    """Loops in which its weights were set back."""


@dataclass(frozen=True)
class Layers(Value):
    """`model.layers`, or some of them."""

    network: Network
    whole: bool = True


NOTHING = Const(None)


def tensors_in(values: Iterable[Value]) -> list[Tensor]:
    """The tensors among some values, and in lists and dictionaries of them."""
    found: list[Tensor] = []
    for value in values:
        if isinstance(value, Tensor):
            found.append(value)
        elif isinstance(value, (Items, Entries)):
            found += tensors_in(value.items if isinstance(value, Items) else value.entries.values())
    return found


def constant(value: Value | None, default: Any = None) -> Any:
    return value.value if isinstance(value, Const) else default


def named(value: Value | None) -> str:
    """The text of a constant string, the name of a class or function, or ""."""
    if isinstance(value, Const) and isinstance(value.value, str):
        return value.value
    if isinstance(value, Symbol):
        return value.last
    return value.name if isinstance(value, Thing) else ""


def _handed(arguments: Mapping[str, Value], name: str, position: int | None) -> Value | None:
    """An argument of a call, by its name or its place (`#0` is the first without a name)."""
    return arguments.get(name, arguments.get(f"#{position}") if position is not None else None)
