"""A ReLU at the output, and targets of which half are below 0."""

from __future__ import annotations

from collections.abc import Iterator

from unstuck.source.contract import SQUARED, judged, standardised
from unstuck.source.merging import as_data
from unstuck.source.sighting import Sighting, argument_node
from unstuck.source.story import Story

CODE = "OUT112"


def sightings(story: Story) -> Iterator[Sighting]:
    for found in judged(story):
        head, loss = found.head, found.loss
        if head.activation != "relu" or loss is None or loss.name not in SQUARED:
            continue
        for training in story.trainings:
            y = as_data(training.y)
            if training.compiled is not found.compiled or y is None:
                continue
            if standardised(y):
                yield Sighting(
                    node=argument_node(head.places[0], "activation", 1 if head.places[0] is head.layer else 0),
                    message="the output goes through a ReLU, and about half of the standardised targets are below 0",
                    label="0 and above",
                    related=((training.node, "standardised targets"),),
                    severity="error",
                    conclusion="those rows can only be answered with 0, where the unit has no gradient",
                    help="use a linear output",
                )
                break
