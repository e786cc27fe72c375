"""Independent probabilities under a loss over exclusive classes."""

from __future__ import annotations

from collections.abc import Iterator

from unstuck.source.contract import CATEGORICAL, SPARSE, judged
from unstuck.source.sighting import Sighting, in_call
from unstuck.source.story import Story

CODE = "OUT108"


def sightings(story: Story) -> Iterator[Sighting]:
    for found in judged(story):
        head, loss = found.head, found.loss
        if head.activation != "sigmoid" or loss is None or loss.name not in CATEGORICAL | SPARSE or head.units == 1:
            continue
        if loss.from_logits:
            continue
        yield Sighting(
            node=head.activation_node,
            message=f"a sigmoid for each class, under {loss.spoken}",
            label="classes do not sum to 1",
            related=((in_call(found.compiled.node, "loss", 1), "for exclusive classes"),),
            confidence="possible",
            severity="note",
            conclusion="this usually trains: the loss divides by the sum; only the probabilities mean nothing",
            help="use softmax for exclusive classes, or binary_crossentropy for several labels a row",
        )
