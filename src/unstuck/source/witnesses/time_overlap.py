"""Rows that hold values of their neighbours in time, divided at random."""

from __future__ import annotations

from collections.abc import Iterator

from unstuck.source.sighting import Sighting
from unstuck.source.story import Story
from unstuck.source.values import Stop

CODE = "LEK203"
_WORDS = {"window": "windows that overlap", "rolling": "rolling statistics", "shift": "values of other times"}


def sightings(story: Story) -> Iterator[Sighting]:
    for split in story.splits:
        if not split.shuffled or not split.parts:
            continue
        lags = sorted(split.parts[0].lags, key=lambda lag: getattr(lag.node, "lineno", 0))
        if not lags:
            continue
        what = _WORDS.get(lags[0].name, _WORDS["shift"])
        yield Sighting(
            node=split.node,
            message=f"rows that hold {what} are divided at random",
            label="shuffles time",
            related=((lags[0].node, "neighbouring rows share these values"),),
            flow=(*lags[0].trail, Stop(lags[0].name, lags[0].node), Stop(split.name, split.node)),
            conclusion="held-out rows lie between training rows of nearly the same time; how much that is worth depends"
            " on the series, and a chronological split tells",
            help="divide by time (shuffle=False, or TimeSeriesSplit with a gap)",
        )
