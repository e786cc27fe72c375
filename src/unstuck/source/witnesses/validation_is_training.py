"""A model that is judged only by rows it learnt from."""

from __future__ import annotations

from collections.abc import Iterator

from unstuck.source import rows as row_sets
from unstuck.source.leaks import Pair, pairs
from unstuck.source.merging import as_data
from unstuck.source.sighting import Sighting
from unstuck.source.story import Story, Testing
from unstuck.source.values import Stop

CODE = "LEK205"


def sightings(story: Story) -> Iterator[Sighting]:
    known = list(pairs(story))
    for pair in known:
        if pair.held is None or not pair.overlaps or not _certain(pair):
            continue
        if pair.name == "validation_data":
            yield _sighting(pair, "the validation rows are rows the model is trained on")
        elif story.complete and not _has_honest(pair, known) and _is_scored(pair, story):
            yield _sighting(pair, "the model is scored on rows it was trained on, and on no others")


def _certain(pair: Pair) -> bool:
    """The same rows, or a split-off part of them; a sample drawn from a reader of its own may be different rows."""
    return pair.held is not None and row_sets.covers(pair.training.x.rows, pair.held.rows) if pair.training.x else False


def _has_honest(pair: Pair, known: list[Pair]) -> bool:
    """Some other rows judge a training at the same place, so the score on training rows is one beside it."""
    same = [p for p in known if p.training.model is pair.training.model or p.training.node is pair.training.node]
    return any(not p.overlaps for p in same)


def _is_scored(pair: Pair, story: Story) -> bool:
    """Against labels: clusters and autoencoders are rightly looked at on the rows they were made from."""
    x, y = pair.training.x, as_data(pair.training.y)
    if y is None or x is None or y == x:
        return False
    tests: list[Testing] = [test for test in story.testings if test.node is pair.node]
    return any(test.scored for test in tests)


def _sighting(pair: Pair, message: str) -> Sighting:
    held = pair.held
    trail = held.trail if held is not None else ()
    return Sighting(
        node=pair.node,
        message=message,
        label="the same rows",
        related=((pair.training.node, "learnt from here"),) if pair.node is not pair.training.node else (),
        flow=(*trail, Stop(pair.training.name, pair.training.node), Stop(pair.name, pair.node)),
        conclusion="what was memorised is scored, so nothing is known about new rows",
        help="hold rows out before fit, and judge by them",
    )
