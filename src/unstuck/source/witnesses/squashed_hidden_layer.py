"""Softmax between layers."""

from __future__ import annotations

from collections.abc import Iterator

from unstuck.source.contract import activation_name
from unstuck.source.sighting import Sighting, argument_node
from unstuck.source.story import Story

CODE = "ACT106"


def sightings(story: Story) -> Iterator[Sighting]:
    for contract in story.contracts:
        for chain in contract.chains:
            dense = [layer for layer in chain if layer.name == "Dense"]
            for layer in dense[1:]:
                if activation_name(layer.argument("activation", 1)) != "softmax" or not layer.complete:
                    continue
                yield Sighting(
                    node=argument_node(layer, "activation", 1),
                    message="a hidden layer goes through softmax",
                    label="its units share a sum of 1",
                    related=((dense[0].node, "the output"),) if dense[0].node is not None else (),
                    conclusion="the units share a sum of 1, so little gets through, and learning is slow",
                    help="use relu in hidden layers",
                )
