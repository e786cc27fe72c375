"""A ReLU where probabilities are wanted."""

from __future__ import annotations

from collections.abc import Iterator

from unstuck.source.contract import BINARY, CATEGORICAL, SPARSE, judged
from unstuck.source.sighting import Sighting, argument_node, in_call
from unstuck.source.story import Story

CODE = "OUT111"


def sightings(story: Story) -> Iterator[Sighting]:
    for found in judged(story):
        head, loss = found.head, found.loss
        if head.activation != "relu" or loss is None or loss.name not in BINARY | CATEGORICAL | SPARSE:
            continue
        activation = "sigmoid" if loss.name in BINARY else "softmax"
        place = head.places[0]
        yield Sighting(
            node=argument_node(place, "activation", 1 if place is head.layer else 0),
            message=f"the output goes through a ReLU, and {loss.spoken} takes it for probabilities",
            label="0 or unbounded",
            related=((in_call(found.compiled.node, "loss", 1), "wants probabilities"),),
            conclusion="a row whose units are all 0 has no probabilities (0/0) and no gradient",
            help=f"use {activation}",
        )
