"""Rows that hold values of their neighbours in time, divided at random."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from unstuck.source.leaks import pairs
from unstuck.source.sighting import Sighting
from unstuck.source.story import Story
from unstuck.source.values import Fitting, Stop

CODE = "LEK203"
_WORDS = {"window": "windows that overlap", "rolling": "rolling statistics", "shift": "values of other times"}


def sightings(story: Story) -> Iterator[Sighting]:
    for split in story.splits:
        if split.shuffled and split.parts and split.parts[0].lags:
            yield _sighting(split.parts[0].lags, split.node, split.name)
    for pair in pairs(story):
        x, held = pair.training.x, pair.held
        if x is None or held is None or x.drawn is None or x.drawn is not held.drawn or pair.overlaps:
            continue
        if x.lags & held.lags:
            yield _sighting(x.lags & held.lags, x.drawn, "permutation")


def _sighting(lags: frozenset[Fitting], node: ast.AST, name: str) -> Sighting:
    first = min(lags, key=lambda lag: getattr(lag.node, "lineno", 0))
    what = _WORDS.get(first.name, _WORDS["shift"])
    return Sighting(
        node=node,
        message=f"rows that hold {what} are divided at random",
        label="shuffles time",
        related=((first.node, "neighbouring rows share these values"),),
        flow=(*first.trail, Stop(first.name, first.node), Stop(name, node)),
        conclusion="held-out rows lie between training rows of nearly the same time; how much that is worth depends"
        " on the series, and a chronological split tells",
        help="divide by time (shuffle=False, or TimeSeriesSplit with a gap)",
    )
