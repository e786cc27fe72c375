"""Sigmoid twice: in the network and in the loss."""

from __future__ import annotations

from collections.abc import Iterator

from unstuck.source.contract import BINARY, judged
from unstuck.source.sighting import Sighting, in_call
from unstuck.source.story import Story

CODE = "OUT106"


def sightings(story: Story) -> Iterator[Sighting]:
    for found in judged(story):
        head, loss = found.head, found.loss
        if head.activation != "sigmoid" or loss is None or loss.name not in BINARY or loss.from_logits is not True:
            continue
        written = in_call(found.compiled.node, "loss", 1)
        yield Sighting(
            node=in_call(written, "from_logits", 0),
            message="the loss takes a sigmoid of outputs that are probabilities already",
            label="applies a sigmoid again",
            related=((head.activation_node, "probabilities already"),),
            conclusion="the loss cannot fall below 0.313 where the label is 1 and 0.693 where it is 0, except where"
            " TensorFlow takes the logits back",
            help="leave the output linear, or drop from_logits=True",
        )
