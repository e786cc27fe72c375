"""Predictions of a shuffled reader, compared with labels in the order of the folder."""

from __future__ import annotations

from collections.abc import Iterator

from unstuck.source.sighting import Sighting
from unstuck.source.story import Story
from unstuck.source.values import Thing, constant

CODE = "EVA102"


def sightings(story: Story) -> Iterator[Sighting]:
    for test in story.testings:
        reader: Thing | None = test.x.generator
        if reader is None or reader.node is None or not test.name.startswith("predict"):
            continue
        if reader.name != "flow_from_directory" or reader not in story.ordered_labels or not reader.complete:
            continue
        if constant(reader.argument("shuffle"), True) is not True:
            continue
        yield Sighting(
            node=test.node,
            message="predictions come in shuffled order, and .classes is in the order of the folder",
            label="another order each time",
            related=((reader.node, "shuffles by default"),),
            conclusion="the two are compared row by row although they are in different orders: the result is chance",
            help="make the reader for prediction with shuffle=False",
        )
