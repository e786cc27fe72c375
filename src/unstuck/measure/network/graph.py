"""The wiring of a functional or sequential model: which layer or operation feeds which."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from unstuck.measure.case import Case, Missing


@dataclass(frozen=True)
class Node:
    """A layer, an operation of keras.ops or a nested model.

    Attributes:
        inputs: names of the nodes it reads. arguments: plain keyword arguments of its calls (`training=True`).
        members: names of the layers inside a nested model, else its own name.
    """

    name: str
    kind: str
    config: Mapping[str, Any]
    inputs: tuple[str, ...]
    arguments: Mapping[str, Any]
    members: tuple[str, ...]


@dataclass(frozen=True)
class Graph:
    """The outermost model as a graph.

    Attributes:
        outputs: the nodes whose results the model returns. ports: the names that losses and targets give them.
        inputs: the nodes that take its arrays, in their order.
    """

    nodes: Mapping[str, Node]
    outputs: tuple[str, ...]
    ports: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()

    @classmethod
    def of(cls, case: Case) -> Self:
        model = case.fit.body["model"].get("config") or {}
        layers = (model.get("config") or {}).get("layers")
        if not layers:
            raise Missing("the graph of the model", "build it with the functional API or Sequential")
        if "output_layers" in model["config"]:
            nodes = [_node(layer, tuple(_sources(layer))) for layer in layers]
            ends = model["config"]["output_layers"]
            outputs = tuple(output_names(ends))
            ports = tuple(map(str, sorted(ends))) if isinstance(ends, dict) else outputs
            inputs = tuple(output_names(model["config"].get("input_layers", ())))
        else:
            names = [layer["config"].get("name", "") for layer in layers]
            nodes = [_node(layer, (names[i - 1],) if i else ()) for i, layer in enumerate(layers)]
            outputs = ports = (nodes[-1].name,)
            inputs = (nodes[0].name,)
        return cls({node.name: node for node in nodes}, outputs, ports, inputs)

    @property
    def elsewhere(self) -> frozenset[str]:
        """Names of the layers that the first output does not read: those of other outputs alone."""
        read = self.upstream(self.outputs[:1])
        return frozenset(name for node in self.nodes.values() if node.name not in read for name in node.members)

    def upstream(self, names: Collection[str], without: Collection[str] = ()) -> frozenset[str]:
        """The nodes whose results reach `names`, themselves included, on paths that avoid `without`."""
        seen: set[str] = set()
        waiting = [name for name in names if name not in without]
        while waiting:
            name = waiting.pop()
            if name not in seen and name in self.nodes:
                seen.add(name)
                waiting += [before for before in self.nodes[name].inputs if before not in without]
        return frozenset(seen)

    def behind(self, cuts: Collection[str]) -> frozenset[str]:
        """Nodes that reach the outputs only through `cuts`, these left out."""
        return self.upstream(self.outputs) - self.upstream(self.outputs, cuts) - frozenset(cuts)


def tensors(value: Any) -> Iterator[dict[str, Any]]:
    """The symbolic tensors in a serialized value, each `{class_name, config}`."""
    if isinstance(value, dict):
        if value.get("class_name") == "__keras_tensor__":
            yield value
            return
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from tensors(item)


def _node(layer: Mapping[str, Any], inputs: tuple[str, ...]) -> Node:
    name = layer.get("name") or layer["config"].get("name", "")
    keywords: dict[str, Any] = {}
    for call in layer.get("inbound_nodes") or ():
        given = call.get("kwargs") if isinstance(call, dict) else None
        keywords |= {k: v for k, v in (given or {}).items() if isinstance(v, (bool, int, float, str))}
    return Node(name, layer["class_name"], layer["config"], inputs, keywords, tuple(_members(layer)))


def _sources(layer: Mapping[str, Any]) -> Iterator[str]:
    for tensor in tensors(layer.get("inbound_nodes")):
        yield tensor["config"]["keras_history"][0]


def _members(layer: Mapping[str, Any]) -> Iterator[str]:
    inner = layer["config"].get("layers")
    if isinstance(inner, list):
        for part in inner:
            yield from _members(part)
    else:
        yield layer["config"].get("name", "")


def output_names(outputs: Any) -> Iterator[str]:
    """Node names in `output_layers`."""
    return (name for name, *_ in ends(outputs))


def ends(outputs: Any) -> Iterator[Sequence[Any]]:
    """The [name, node, tensor] in `output_layers`: one of them, or nested lists or a dict of them."""
    if isinstance(outputs, dict):  # Keras makes lists of dicts in the order of the sorted keys
        outputs = [outputs[key] for key in sorted(outputs)]
    if outputs and isinstance(outputs[0], str):
        yield outputs
        return
    for item in outputs:
        yield from ends(item)
