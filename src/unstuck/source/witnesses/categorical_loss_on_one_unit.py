"""Cross-entropy over classes on a single unit."""

from __future__ import annotations

from collections.abc import Iterator

from unstuck.source.contract import CATEGORICAL, SPARSE, judged
from unstuck.source.sighting import Sighting, argument_node, in_call
from unstuck.source.story import Story

CODE = "OUT102"


def sightings(story: Story) -> Iterator[Sighting]:
    for found in judged(story):
        head, loss = found.head, found.loss
        if head.units != 1 or loss is None or loss.name not in CATEGORICAL | SPARSE:
            continue
        sparse = loss.name in SPARSE
        softmax = head.activation == "softmax"
        yield Sighting(
            node=in_call(found.compiled.node, "loss", 1),
            message=f"{loss.spoken} on a single output unit",
            label="only class 0 exists" if sparse else "log(p / p) = 0 for every label",
            related=((argument_node(head.layer, "units", 0), "one unit"),),
            confidence="proven",
            conclusion="with one unit there is one class: every label but 0 is out of range"
            if sparse
            else "the loss divides the only unit by itself, so it is 0 whatever the network answers",
            help="use one sigmoid unit with binary_crossentropy, or as many units as there are classes",
            explained_by="softmax-on-one-unit" if softmax else None,
        )
