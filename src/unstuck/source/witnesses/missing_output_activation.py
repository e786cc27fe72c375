"""A linear output under a loss that wants probabilities."""

from __future__ import annotations

from collections.abc import Iterator

from unstuck.source.contract import BINARY, CROSSENTROPIES, judged
from unstuck.source.sighting import Sighting, in_call
from unstuck.source.story import Story

CODE = "OUT107"


def sightings(story: Story) -> Iterator[Sighting]:
    for found in judged(story):
        head, loss = found.head, found.loss
        if head.activation != "linear" or loss is None or loss.name not in CROSSENTROPIES:
            continue
        if loss.from_logits is not False or head.layer.node is None or not head.layer.complete:
            continue
        if head.units == 1 and loss.name not in BINARY:
            continue  # categorical-loss-on-one-unit
        activation = "sigmoid" if loss.name in BINARY else "softmax"
        yield Sighting(
            node=head.layer.node,
            message=f"the output is linear, and {loss.spoken} takes it for probabilities",
            label=f"no {activation}",
            related=((in_call(found.compiled.node, "loss", 1), "wants probabilities, or from_logits=True"),),
            conclusion="outputs outside 0 to 1 are clipped and teach nothing; some runs learn nevertheless",
            help=f'give the layer activation="{activation}", or the loss from_logits=True',
        )
