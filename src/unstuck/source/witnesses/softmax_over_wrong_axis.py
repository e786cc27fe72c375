"""A softmax over the rows of the batch."""

from __future__ import annotations

from collections.abc import Iterator

from unstuck.source.sighting import Sighting, argument_node
from unstuck.source.story import Story
from unstuck.source.values import constant

CODE = "OUT104"


def sightings(story: Story) -> Iterator[Sighting]:
    for contract in story.contracts:
        for chain in contract.chains:
            place = chain[0] if chain else None
            if place is None or (place.name != "Softmax" and constant(place.argument("activation", 0)) != "softmax"):
                continue
            axis = place.argument("axis", 0 if place.name == "Softmax" else None)
            if constant(axis, 1) != 0 or isinstance(constant(axis), bool):
                continue
            yield Sighting(
                node=argument_node(place, "axis", 0 if place.name == "Softmax" else None),
                message="softmax runs over the rows of the batch, not over the classes",
                label="axis 0 is the batch",
                confidence="proven",
                conclusion="the outputs of one row depend on which other rows are in its batch, and its classes do not"
                " sum to 1",
                help="leave axis at -1",
            )
