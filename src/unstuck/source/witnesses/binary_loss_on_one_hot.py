"""Binary cross-entropy on exclusive classes."""

from __future__ import annotations

from collections.abc import Iterator

from unstuck.source.contract import BINARY, judged
from unstuck.source.sighting import Sighting, in_call
from unstuck.source.story import Story

CODE = "OUT109"
_TWO = 2
"""With two units binary and categorical cross-entropy have the same optimum."""


def sightings(story: Story) -> Iterator[Sighting]:
    for found in judged(story):
        head, loss = found.head, found.loss
        if head.activation != "softmax" or loss is None or loss.name not in BINARY:
            continue
        if head.units is None or head.units <= _TWO:
            continue
        yield Sighting(
            node=in_call(found.compiled.node, "loss", 1),
            message=f"binary cross-entropy over {head.units} exclusive classes",
            label="takes each class for a question of its own",
            related=((head.activation_node, "exclusive classes"),),
            conclusion="a share of (C − 1)/C of the answers is right from the start when every unit counts for itself",
            help="use categorical_crossentropy, or sigmoid units if a row can have several labels",
        )
