"""The contract of a compiled model: its output, its loss, its optimiser, as the source states them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from unstuck.source.sighting import argument_node
from unstuck.source.story import Contract, Story
from unstuck.source.values import Compiled, Const, Data, Items, Layer, Symbol, Thing, Value, constant, named

BINARY = frozenset({"binarycrossentropy", "binaryfocalcrossentropy", "bce"})
CATEGORICAL = frozenset({"categoricalcrossentropy", "categoricalfocalcrossentropy"})
SPARSE = frozenset({"sparsecategoricalcrossentropy"})
CROSSENTROPIES = BINARY | CATEGORICAL | SPARSE
SQUARED = frozenset({"meansquarederror", "mse", "meanabsoluteerror", "mae"})
_CONVOLUTIONS = frozenset({"Conv1D", "Conv2D", "Conv3D", "Conv2DTranspose", "SeparableConv2D"})
_ACTIVATION_LAYERS = {"Softmax": "softmax", "ReLU": "relu", "LeakyReLU": "leaky_relu", "ELU": "elu", "PReLU": "prelu"}
_SPLITTING = ("StandardScaler.", "train_test_split", "[", "rows")
_TRANSPARENT = frozenset({"Dropout", "ActivityRegularization"})


@dataclass(frozen=True)
class Head:
    """The end of a network: the last layer with units and the activations after it.

    Attributes:
        units: None if they are not stated.
        activations: the last one first; `?` where it is not stated.
        places: the layer that applies each of them.
    """

    layer: Layer
    units: int | None
    activations: tuple[str, ...]
    places: tuple[Layer, ...]

    @property
    def activation(self) -> str:
        """What the output went through last; `linear` if nothing."""
        return self.activations[0] if self.activations else "linear"

    @property
    def activation_node(self) -> ast.AST:
        """Where that is written; the output must go through an activation."""
        place = self.places[0]
        return argument_node(place, "activation", 1 if place is self.layer else 0)


@dataclass(frozen=True)
class Loss:
    """`name` without underscores; `from_logits` None if it is not stated plainly."""

    name: str
    from_logits: bool | None = False

    @property
    def spoken(self) -> str:
        for part in ("sparse", "categorical", "binary", "focal"):
            if self.name.startswith(part):
                return f"{part} {Loss(self.name[len(part) :]).spoken}".strip()
        return {"crossentropy": "crossentropy", "mse": "squared error", "meansquarederror": "squared error"}.get(
            self.name, self.name
        )


@dataclass(frozen=True)
class Judged:
    """A contract with one output and one loss that are both known."""

    contract: Contract
    head: Head
    loss: Loss | None

    @property
    def compiled(self) -> Compiled:
        return self.contract.compiled


def judged(story: Story) -> Iterator[Judged]:
    """Every compiled model whose single output is known."""
    for contract in story.contracts:
        network = contract.network
        if len(contract.chains) != 1 or network.own_class:
            continue
        head = head_of(contract.chains[0])
        if head is not None:
            yield Judged(contract, head, loss_of(contract.compiled))


def head_of(chain: tuple[Layer, ...]) -> Head | None:
    """The head of a chain of layers, the last one first; None if it ends in something else."""
    activations: list[str] = []
    places: list[Layer] = []
    for layer in chain:
        inner = layer
        if layer.name == "TimeDistributed":
            wrapped = layer.argument("layer", 0)
            if not isinstance(wrapped, Layer):
                return None
            inner = wrapped
        if inner.name in _TRANSPARENT:
            continue
        if inner.name == "Activation":
            activations.append(activation_name(inner.argument("activation", 0)))
            places.append(inner)
        elif inner.name in _ACTIVATION_LAYERS:
            activations.append(_ACTIVATION_LAYERS[inner.name])
            places.append(inner)
        elif inner.name == "Dense" or inner.name in _CONVOLUTIONS:
            own = activation_name(inner.argument("activation", 1 if inner.name == "Dense" else None))
            if own != "linear":
                activations.append(own if inner.complete else "?")
                places.append(inner)
            units = constant(inner.argument("units" if inner.name == "Dense" else "filters", 0))
            return Head(inner, units if isinstance(units, int) else None, tuple(activations), tuple(places))
        else:
            return None
    return None


def activation_name(value: Value | None) -> str:
    """The name of an activation; `?` if it is not stated."""
    if value is None or (isinstance(value, Const) and value.value is None):
        return "linear"
    if isinstance(value, Layer):
        return _ACTIVATION_LAYERS.get(value.name, "?")
    if isinstance(value, Const):
        return str(value.value).lower()
    plain = isinstance(value, Symbol) and value.root in ("keras", "tensorflow")
    return named(value).lower() if plain else "?"


def loss_of(compiled: Compiled) -> Loss | None:
    """The loss of a contract; None if it is missing or not stated plainly."""
    value = compiled.argument("loss", 1)
    if isinstance(value, Const) and isinstance(value.value, str):
        return Loss(_plain(value.value))
    if isinstance(value, Symbol) and value.root == "keras":
        return Loss(_plain(value.last))
    if isinstance(value, Thing) and value.path.startswith("keras.") and value.name:
        given = value.argument("from_logits", 0)
        logits = constant(given) if given is not None else False
        return Loss(_plain(value.name), logits if isinstance(logits, bool) and value.complete else None)
    return None


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def metrics_of(compiled: Compiled) -> list[Value | None]:
    """What `compile` is given as metrics of a single output."""
    given = compiled.argument("metrics", 2)
    return list(given.items) if isinstance(given, Items) else [given]


def standardised(y: Data) -> bool:
    """Whether targets went through a StandardScaler of their own, and through nothing unknown since."""
    texts = [stop.text for stop in y.trail]
    at = next((i for i, text in enumerate(texts) if text.startswith("StandardScaler.")), None)
    return at is not None and all(text.startswith(_SPLITTING) for text in texts[at + 1 :])


def optimizer_of(compiled: Compiled) -> Thing | None:
    value = compiled.argument("optimizer", 0)
    return value if isinstance(value, Thing) and value.name else None


def rate_of(optimizer: Thing) -> float | None:
    """A constant learning rate that the code states."""
    value = optimizer.argument("learning_rate", 0) or optimizer.argument("lr")
    rate = constant(value)
    return float(rate) if isinstance(rate, (int, float)) and not isinstance(rate, bool) else None
