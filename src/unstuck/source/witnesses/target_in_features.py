"""The column of the labels among the features."""

from __future__ import annotations

from collections.abc import Iterator

from unstuck.source.sighting import Sighting
from unstuck.source.story import Story
from unstuck.source.values import Data, Stop

CODE = "LEK101"


def sightings(story: Story) -> Iterator[Sighting]:
    for training in story.trainings:
        x, y = training.x, training.y
        if x is None or not isinstance(y, Data) or x.columns is None or y.columns is None or y.column is None:
            continue
        if x.columns.frame != y.columns.frame or x.column is not None:
            continue
        sources = sorted(source for name, source in y.columns.made if name == y.column and x.columns.has(source))
        if not x.columns.has(y.column) and not sources:
            continue
        if any(lag.name == "window" for lag in x.lags):
            continue  # the past of a series may well predict it
        if x.columns.has(y.column):
            left, message = y.column, f"the column {y.column!r} is among the features and is the target"
            conclusion = "the frame that is handed over still holds the column that the labels were taken from"
        else:
            left, message = (
                sources[0],
                f"the target {y.column!r} is made from {sources[0]!r}, which is among the features",
            )
            conclusion = "the labels can be computed from that column, so the network learns nothing else"
        yield Sighting(
            node=training.node,
            message=message,
            label="learns the target from itself",
            flow=(*x.trail, Stop(training.name, training.node)),
            conclusion=conclusion,
            help=f"drop {left!r} from the features",
        )
