"""Keras: layers, models and what is done with them."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import TYPE_CHECKING

from unstuck.source import frames, objects, vocabulary
from unstuck.source.names import STAR
from unstuck.source.story import Contract, chain_of
from unstuck.source.values import (
    NOTHING,
    Compiled,
    Const,
    Data,
    Entries,
    Function,
    Items,
    Layer,
    Layers,
    Network,
    Symbol,
    Tensor,
    Thing,
    Value,
    constant,
)

if TYPE_CHECKING:
    from unstuck.source.calls import Arguments
    from unstuck.source.reader import Reader

_ACTIVATIONS = ("softmax", "sigmoid", "relu", "tanh", "log_softmax")
_PLAIN_METHODS = frozenset(
    {"__init__", "build", "call", "get_config", "from_config", "compute_output_shape", "summary", "model"}
)
_RESTORING = ("set_weights", "load_weights", "reset_states", "load_state_dict")


def construct(reader: Reader, symbol: Symbol, arguments: Arguments) -> Value | None:
    """A layer, a model or an input; None if the symbol is none of Keras."""
    last, node = symbol.last, arguments.node
    keras = symbol.root == "keras" or (symbol.root == STAR and last in vocabulary.KERAS_CLASSES)
    if not keras or node is None:
        return None
    if last == "Input":
        return Tensor(None)
    if last in ("clone_model", "load_model", "model_from_json") or ".applications." in symbol.path:
        made = Network(last, symbol.path, node, arguments.by_name(), arguments.complete, loops=reader.open_loops)
        return _registered(reader, made)
    if last in vocabulary.NETWORKS:
        return _registered(reader, _network(reader, symbol, arguments))
    if last[:1].isupper() and (".layers." in symbol.path or symbol.root == STAR) and _is_layer(last):
        return Layer(last, symbol.path, node, arguments.by_name(), arguments.complete, loops=reader.open_loops)
    return None


_NO_LAYERS = frozenset(
    {
        *("Adam", "SGD", "RMSprop", "Adagrad", "Adadelta", "Nadam", "EarlyStopping", "ModelCheckpoint"),
        "ImageDataGenerator",
    }
)


def _is_layer(name: str) -> bool:
    return name not in _NO_LAYERS


def _registered(reader: Reader, network: Network) -> Network:
    reader.networks.append(network)
    return network


def _network(reader: Reader, symbol: Symbol, arguments: Arguments) -> Network:
    made = Network(symbol.last, symbol.path, arguments.node, arguments.by_name(), loops=reader.open_loops)
    if symbol.last == "Sequential":
        given = arguments.get("layers", 0)
        if given is None or (isinstance(given, Const) and given.value is None):
            made.layers = []
        elif isinstance(given, Items):
            made.layers = _layers(given.items)
        return made
    outputs = arguments.get("outputs", 1) or arguments.get("output")
    if outputs is not None:
        named = outputs.entries.values() if isinstance(outputs, Entries) else [outputs]
        listed = outputs.items if isinstance(outputs, Items) else named
        tensors = [t for t in listed if isinstance(t, Tensor)]
        made.outputs = tensors if len(tensors) == len(listed) else None
    return made


def _layers(items: Sequence[Value]) -> list[Layer] | None:
    """The layers of a list; None if something in it is not known."""
    found = [item for item in items if isinstance(item, Layer)]
    known = [item for item in items if isinstance(item, (Layer, Tensor))]  # keras.Input(...) stands in lists too
    return found if len(known) == len(items) else None


def applied(reader: Reader, layer: Layer, arguments: Arguments) -> Value:
    """`layer(x)`."""
    inputs = [v for value in arguments.positional for v in (value.items if isinstance(value, Items) else [value])]
    tensors = [v for v in inputs if isinstance(v, Tensor)]
    if tensors:
        made = Tensor(layer, tuple(tensors))
        reader.story.applied.append(made)
        return made
    if layer.name == "TextVectorization":
        layer.attributes["(numbered)"] = NOTHING
    tables = [v for v in inputs if isinstance(v, Data)]
    if not tables:
        return Tensor(layer)
    fitted = layer.fitted  # an adapted layer that is called outside of a model
    return frames.tainted(tables[0], fitted, tables[0].column) if fitted else tables[0]


def operation(symbol: Symbol, arguments: Arguments, tensors: list[Tensor]) -> Tensor:
    """A function of Keras or TensorFlow on tensors; activations are known, the others are not."""
    if symbol.last in _ACTIVATIONS and symbol.root in ("keras", "tensorflow"):
        named = {"#0": Const(symbol.last), **{k: v for k, v in arguments.named.items() if k == "axis"}}
        layer = Layer("Activation", symbol.path, arguments.node, named)
        return Tensor(layer, tuple(tensors[:1]))
    return Tensor(None, tuple(tensors), known=False)


def method(reader: Reader, network: Network, name: str, arguments: Arguments) -> Value | None:
    """The value of `model.name(...)`; None if it is nothing particular to models."""
    node = arguments.node
    assert node is not None
    if name in ("add", "pop") and network.name == "Sequential":
        _grow(network, name, arguments.get("layer", 0))
        return NOTHING
    if name == "compile":
        _trace(reader, network)
        network.compiled = Compiled(node, arguments.by_name(), arguments.complete)
        network.thawed = None
        chains, frozen = chains_of(network), everything_frozen(network)
        parts = dict.fromkeys(part for chain in chains for part in chain if isinstance(part, Network))
        held = tuple(part for part in parts if everything_frozen(part))
        reader.story.contracts.append(Contract(network, network.compiled, chains, frozen, held))
        return NOTHING
    if name in ("fit", "fit_generator", "train_on_batch"):
        return _fit(reader, network, name, arguments)
    if name == "add_loss":
        reader.story.adds_loss = True
        return NOTHING
    if name in _RESTORING:
        network.restored = reader.open_loops
        network.loaded = True
        return NOTHING
    return Thing() if name == "get_layer" else None


def _trace(reader: Reader, network: Network) -> None:
    """What a class of the file that only builds layers and calls them puts out; others may do anything."""
    cls = network.cls
    if cls is None or not network.own_class or "call" not in cls.methods or not cls.methods.keys() <= _PLAIN_METHODS:
        return
    from unstuck.source.calls import Arguments as Given

    output = reader.inline(Function(cls.methods["call"], cls.scope, network), Given([Tensor(None)], {}, None))
    if isinstance(output, Tensor) and output.layer is not None:
        network.outputs, network.own_class = [output], False
        output.used = True


def _grow(network: Network, name: str, added: Value | None) -> None:
    if network.layers is None:
        return
    if name == "pop":
        network.layers = network.layers[:-1]
    elif isinstance(added, Layer):
        network.layers = [*network.layers, added]
    elif not isinstance(added, Tensor):
        network.layers = None


def _fit(reader: Reader, network: Network, name: str, arguments: Arguments) -> Value:
    made = objects.train(reader, network, name, arguments)
    if made is not None:
        for layer in layers_of(network) or ():  # a Normalization that was adapted prepares the rows
            if layer.fitted is not None and made.x is not None:
                made.x = frames.tainted(made.x, layer.fitted, None)
        made.compiled, made.thawed = network.compiled, network.thawed
        made.layers = tuple(network.layers) if network.layers is not None else None
    network.trained = True
    return Thing()


def chains_of(network: Network) -> tuple[tuple[Layer, ...], ...]:
    """For each output the layers behind it, the last one first."""
    if network.layers:
        return (tuple(reversed(network.layers)),)
    return tuple(chain_of(tensor) for tensor in network.outputs or ())


def layers_of(network: Network) -> list[Layer] | None:
    """All layers, if they are known."""
    if network.outputs is None:
        return network.layers
    found: dict[int, Layer] = {}
    waiting = list(network.outputs)
    while waiting:
        tensor = waiting.pop()
        if not tensor.known:
            return None
        if tensor.layer is not None:
            found[id(tensor.layer)] = tensor.layer
        waiting += tensor.inputs
    return list(found.values())


def everything_frozen(network: Network) -> bool:
    """Whether no layer with weights can learn."""
    if network.own_class or network.trainable is None:
        return False
    if network.trainable is False:
        return True
    layers = layers_of(network) or []
    weighty = [layer for layer in layers if layer.name in vocabulary.WITH_WEIGHTS or isinstance(layer, Network)]
    if not weighty or any(layer.cls is not None for layer in layers):
        return False
    return all(everything_frozen(layer) if isinstance(layer, Network) else _frozen(layer) for layer in weighty)


def _frozen(layer: Layer) -> bool:
    return layer.trainable is False or constant(layer.arguments.get("trainable")) is False


def set_trainable(reader: Reader, receiver: Layer | Layers, value: Value, node: ast.Attribute) -> None:
    """`layer.trainable = value`, `model.trainable = value`, or for each of `model.layers`."""
    known = constant(value)
    flag = known if isinstance(known, bool) else None
    if isinstance(receiver, Layers):
        target: Layer = receiver.network
        flag = flag if receiver.whole else None
        if layers_of(receiver.network) is None:
            target.trainable = flag
    else:
        target = receiver
        target.trainable = flag
    inner = layers_of(target) or [] if isinstance(target, Network) else []
    for layer in inner:
        layer.trainable = flag
    for network in reader.networks:  # also those that hold what was changed
        holds = network is target or target in (layers_of(network) or [])
        if holds and network.trained and network.compiled is not None:
            network.thawed = node
