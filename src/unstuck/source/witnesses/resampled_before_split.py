"""Rows copied or blended before the split: their siblings are on both sides."""

from __future__ import annotations

from collections.abc import Iterator

from unstuck.source.leaks import leaks
from unstuck.source.sighting import Sighting
from unstuck.source.story import Story

CODE = "LEK301"


def sightings(story: Story) -> Iterator[Sighting]:
    for leak in leaks(story, ("resampling",), of="copies"):
        yield Sighting(
            node=leak.fitting.node,
            message=f"{leak.fitting.name} made rows from other rows before the split",
            label="copies or blends rows that are divided later",
            related=leak.related("the split comes only here"),
            flow=leak.flow,
            conclusion="a held-out row and the training row it was made from are nearly the same, so memorising counts"
            " as skill",
            help="split first, and resample the training rows only",
        )
