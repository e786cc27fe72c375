"""Layers beside the model: called on the outputs of its layers, but part of no model."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def side_layers(model: Any, known: Iterable[Any]) -> list[Any]:
    """Layers among `known` that read what a layer of `model` computes and whose result no model uses.

    Args:
        model: a functional model; others have no graph to look at, and give none.
        known: live layers and models of the process.
    """
    own = getattr(model, "operations", None)
    if not own or not hasattr(model, "_nodes"):
        return []
    everything = list(known)
    used = {id(operation) for other in (model, *everything) for operation in getattr(other, "operations", ())}
    inside = {id(operation) for operation in own}
    found, grown = {}, True
    while grown:  # a branch is several layers deep: each is fed by the one before
        grown = False
        for layer in everything:
            if id(layer) not in used and id(layer) not in found and _fed_by(layer, inside):
                found[id(layer)] = layer
                inside.add(id(layer))
                grown = True
    return list(found.values())


def _fed_by(layer: Any, inside: set[int]) -> bool:
    nodes = getattr(layer, "_inbound_nodes", ())
    return any(id(parent.operation) in inside for node in nodes for parent in node.parent_nodes)
