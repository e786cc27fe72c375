"""A Normalization layer that has never seen data."""

from __future__ import annotations

from collections.abc import Iterator

from unstuck.source.sighting import Sighting
from unstuck.source.story import Story
from unstuck.source.values import Network

CODE = "PIP106"


def sightings(story: Story) -> Iterator[Sighting]:
    trained = {t.model for t in story.trainings}
    for contract in story.contracts:
        if contract.network not in trained or not isinstance(contract.network, Network):
            continue
        for layer in {layer for chain in contract.chains for layer in chain}:
            given = layer.argument("mean") is not None or not layer.complete
            if layer.name != "Normalization" or given or id(layer) in story.adapted or layer.node is None:
                continue
            yield Sighting(
                node=layer.node,
                message="the Normalization layer is never adapted",
                label="mean 0 and variance 1, as made",
                related=((contract.compiled.node, "trained without adapt"),),
                conclusion="without adapt it passes its inputs on as they are",
                help="call adapt on the training rows before fit",
            )
