"""Class weights under names that no label has."""

from __future__ import annotations

from collections.abc import Iterator

from unstuck.source.sighting import Sighting, in_call
from unstuck.source.story import Story
from unstuck.source.values import Entries, Network

CODE = "API103"


def sightings(story: Story) -> Iterator[Sighting]:
    for training in story.trainings:
        if not isinstance(training.model, Network):
            continue
        weights = training.arguments.get("class_weight")
        keys = tuple(weights.entries) if isinstance(weights, Entries) else ()
        if not keys or not all(isinstance(key, str) for key in keys):
            continue
        yield Sighting(
            node=in_call(training.node, "class_weight"),
            message=f"class_weight has keys that are text, such as {keys[0]!r}; labels are numbers",
            label="no label has this name",
            conclusion="a class without an entry has the weight 1, so these weights change nothing",
            help="use the class numbers as keys",
        )
