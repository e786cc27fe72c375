"""A ReLU at the output, and targets of which half are below 0."""

from __future__ import annotations

from collections.abc import Iterator

from unstuck.source.contract import SQUARED, judged, standardised
from unstuck.source.merging import as_data
from unstuck.source.sighting import Sighting
from unstuck.source.story import Story

CODE = "OUT112"


def sightings(story: Story) -> Iterator[Sighting]:
    for found in judged(story):
        head, loss = found.head, found.loss
        if head.activation != "relu" or loss is None or loss.name not in SQUARED:
            continue
        for training in story.trainings_of(found.compiled):
            y = as_data(training.y)
            if y is not None and standardised(y):
                yield Sighting(
                    node=head.activation_node,
                    message="the output goes through a ReLU, and about half of the standardised targets are below 0",
                    label="0 and above",
                    related=((training.node, "standardised targets"),),
                    severity="error",
                    conclusion="those rows can only be answered with 0, where the unit has no gradient",
                    help="use a linear output",
                )
                break
