"""Softmax twice: in the network and in the loss, or two in a row."""

from __future__ import annotations

from collections.abc import Iterator

from unstuck.source.contract import CATEGORICAL, SPARSE, judged
from unstuck.source.sighting import Sighting, argument_node, in_call
from unstuck.source.story import Story

CODE = "OUT105"
_FLOOR = "the loss cannot fall below ln(1 + (C − 1)/e) for C classes, except where TensorFlow takes the logits back"


def sightings(story: Story) -> Iterator[Sighting]:
    for found in judged(story):
        head, loss = found.head, found.loss
        if head.units == 1 or head.activation != "softmax":
            continue
        node = head.activation_node
        if head.activations[:2] == ("softmax", "softmax"):
            first = head.places[1]
            yield Sighting(
                node=node,
                message="two softmax in a row",
                label="softmax of probabilities",
                related=((argument_node(first, "activation", 1), "probabilities already"),),
                conclusion=_FLOOR,
                help="drop one of them",
            )
        elif loss is not None and loss.name in CATEGORICAL | SPARSE and loss.from_logits is True:
            written = in_call(found.compiled.node, "loss", 1)
            yield Sighting(
                node=in_call(written, "from_logits", 0),
                message="the loss takes a softmax of outputs that are probabilities already",
                label="applies softmax again",
                related=((node, "probabilities already"),),
                conclusion=_FLOOR,
                help="leave the output linear, or drop from_logits=True",
            )
