"""Layers that are one linear map together."""

from __future__ import annotations

from collections.abc import Iterator

from unstuck.source.contract import activation_name, head_of
from unstuck.source.sighting import Sighting
from unstuck.source.story import Story
from unstuck.source.values import Layer

CODE = "ACT104"
FEW = 2
"""Hidden linear layers from which on this is hardly meant; a single one is a bottleneck, as in principal components."""
_LINEAR = frozenset({"Dropout", "Flatten", "Reshape", "InputLayer", "Permute"})


def sightings(story: Story) -> Iterator[Sighting]:
    for contract in story.contracts:
        for chain in contract.chains:
            head = head_of(chain)
            inner = chain[chain.index(head.layer) + 1 :] if head is not None and head.layer in chain else ()
            hidden = [layer for layer in inner if layer.name == "Dense"]
            if len(hidden) < FEW or not all(_is_linear(layer) for layer in inner):
                continue
            if hidden[0].node is None or any(not layer.complete for layer in hidden):
                continue
            yield Sighting(
                node=hidden[-1].node or hidden[0].node,
                message=f"{len(hidden)} hidden layers without an activation are one linear map",
                label="no activation",
                related=tuple((layer.node, "no activation") for layer in hidden[:-1] if layer.node is not None),
                severity="note",
                conclusion="a linear map of a linear map is linear, so more layers can do no more than one",
                help='give the hidden layers activation="relu"',
            )


def _is_linear(layer: Layer) -> bool:
    if layer.name == "Dense":
        return activation_name(layer.argument("activation", 1)) == "linear"
    return layer.name in _LINEAR
