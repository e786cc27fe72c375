"""What a program does with rows and models, in order, as far as its source tells."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from unstuck.source.values import Class, Compiled, Data, Fitting, Items, Layer, Network, Symbol, Tensor, Thing, Value


@dataclass(eq=False)
class Split:
    """A division of rows into sides. `shuffled`: at random."""

    node: ast.AST
    name: str
    parts: tuple[Data, ...]
    shuffled: bool
    loops: tuple[int, ...] = ()


@dataclass(eq=False)
class Training:
    """A call of `fit`.

    Attributes:
        model: what was trained.
        validation: rows handed over as `validation_data`; None if there were none.
        held_back: `validation_split` was used.
        inside: cross-validation: the rows are split within the call.
        selects: callbacks that choose by the validation rows.
        loops: ids of the loops around the call; folds: those of them that go over folds.
        compiled: the contract in force.
    """

    model: Thing
    node: ast.Call
    name: str
    x: Data | None
    y: Value | None
    validation: Data | None = None
    held_back: ast.AST | None = None
    inside: bool = False
    selects: tuple[str, ...] = ()
    loops: tuple[int, ...] = ()
    folds: tuple[int, ...] = ()
    compiled: Compiled | None = None
    layers: tuple[Layer, ...] | None = None
    thawed: ast.AST | None = None
    rescheduled: bool = False
    """A callback sets the learning rate, or may do so."""
    arguments: Mapping[str, Value] = field(default_factory=dict)
    """Of the call, by name; `#0` for the first without one."""

    @property
    def callbacks(self) -> list[Value]:
        given = self.arguments.get("callbacks")
        return given.items if isinstance(given, Items) else [given] if given is not None else []


@dataclass(eq=False)
class Testing:
    """A call of `evaluate`, `score` or `predict`. `scored`: its result is compared with labels."""

    model: Thing
    node: ast.Call
    name: str
    x: Data
    training: Training | None
    scored: bool = False
    picked: bool = False
    """The best of several scores was looked for, and this is one of them."""
    loops: tuple[int, ...] = ()


@dataclass(eq=False)
class Reading:
    """Predictions read as classes: by `argmax` along an axis, or by a `threshold`; `by` is the axis or the border."""

    node: ast.AST
    how: Literal["argmax", "threshold"]
    by: object
    tests: frozenset[Testing]


@dataclass(eq=False)
class Contract:
    """A compiled model: outputs as (last layer first) chains of layers, and the arguments of `compile`."""

    network: Network
    compiled: Compiled
    chains: tuple[tuple[Layer, ...], ...]
    frozen: bool = False
    """Every layer with weights is frozen."""
    frozen_parts: tuple[Network, ...] = ()
    """Models among its layers that are frozen."""


@dataclass(eq=False)
class Story:
    """Everything the witnesses judge by."""

    splits: list[Split] = field(default_factory=list)
    trainings: list[Training] = field(default_factory=list)
    testings: list[Testing] = field(default_factory=list)
    fittings: list[Fitting] = field(default_factory=list)
    contracts: list[Contract] = field(default_factory=list)
    adapted: set[int] = field(default_factory=set)
    """Ids of pre-processing layers on which `adapt` was called."""
    adds_loss: bool = False
    complete: bool = True
    """False if the program was too long to be followed to its end."""
    label_columns: set[str] = field(default_factory=set)
    ordered_labels: set[Thing] = field(default_factory=set)
    """Readers of folders whose `.classes` is used."""
    readings: list[Reading] = field(default_factory=list)
    applied: list[Tensor] = field(default_factory=list)
    """What layers gave when they were called on tensors."""
    networks: list[Network] = field(default_factory=list)
    classes: list[Class] = field(default_factory=list)
    imports: dict[str, ast.AST] = field(default_factory=dict)
    """Modules as they are written, and where."""
    called: list[tuple[Symbol, ast.Call, tuple[Value, ...]]] = field(default_factory=list)
    """Functions of Keras that set something for the whole program or prepare images, with their arguments."""
    seedings: int = 0
    """Calls so far that set the state of a generator of random numbers, or make one."""
    seeded_before: dict[ast.AST, int] = field(default_factory=dict)
    """How many of them came before each call that draws an order."""
    refitted: list[tuple[Thing, ast.AST, ast.AST]] = field(default_factory=list)
    """Vocabularies that were learnt again after texts had been numbered by them."""

    def draws_order(self, node: ast.AST) -> ast.AST:
        self.seeded_before[node] = self.seedings
        return node

    def rescheduled(self, compiled: Compiled) -> bool:
        """Whether the stated learning rate is not the one that trains."""
        return any(training.rescheduled for training in self.trainings_of(compiled))

    def trainings_of(self, compiled: Compiled) -> list[Training]:
        return [training for training in self.trainings if training.compiled is compiled]

    def tests_of(self, training: Training) -> list[Testing]:
        return [test for test in self.testings if test.training is training]


def chain_of(tensor: Tensor) -> tuple[Layer, ...]:
    """Layers from the output backwards, as long as each has one input; ends where something is unknown."""
    found: list[Layer] = []
    at: Tensor | None = tensor
    while at is not None and at.layer is not None and at.known:
        found.append(at.layer)
        at = at.inputs[0] if len(at.inputs) == 1 else None
    return tuple(found)
