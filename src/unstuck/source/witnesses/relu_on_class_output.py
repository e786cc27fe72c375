"""A ReLU or a tanh where probabilities are wanted."""

from __future__ import annotations

from collections.abc import Iterator

from unstuck.source.contract import BINARY, CROSSENTROPIES, judged
from unstuck.source.sighting import Sighting, in_call
from unstuck.source.story import Story

CODE = "OUT111"
GIVES = {"relu": ("a ReLU", "0 or unbounded"), "tanh": ("tanh", "-1 to 1")}
NOTHING = {
    "relu": "a row whose units are all 0 has no probabilities (0/0) and no gradient",
    "tanh": "what is below 0 is no probability, is cut off, and has no gradient",
}


def sightings(story: Story) -> Iterator[Sighting]:
    for found in judged(story):
        head, loss = found.head, found.loss
        if head.activation not in GIVES or loss is None or loss.name not in CROSSENTROPIES:
            continue
        activation = "sigmoid" if loss.name in BINARY else "softmax"
        name, label = GIVES[head.activation]
        yield Sighting(
            node=head.activation_node,
            message=f"the output goes through {name}, and {loss.spoken} takes it for probabilities",
            label=label,
            related=((in_call(found.compiled.node, "loss", 1), "wants probabilities"),),
            conclusion=NOTHING[head.activation],
            help=f"use {activation}",
        )
