"""A feature that holds values of later rows."""

from __future__ import annotations

from collections.abc import Iterator

from unstuck.source.sighting import Sighting
from unstuck.source.story import Story
from unstuck.source.values import Data, Stop

CODE = "LEK103"


def sightings(story: Story) -> Iterator[Sighting]:
    for training in story.trainings:
        x, y = training.x, training.y
        if x is None or not isinstance(y, Data) or x.columns is None or y.columns is None:
            continue
        if x.columns.frame != y.columns.frame:
            continue
        for fitting, column in sorted(x.taints, key=lambda taint: str(taint[1])):
            if fitting.kind != "ahead" or column is None or not x.columns.has(column) or y.columns.has(column):
                continue
            yield Sighting(
                node=fitting.node,
                message=f"the feature {column!r} holds values of later rows",
                label="looks ahead",
                related=((training.node, "trained on here"),),
                flow=(*fitting.trail, Stop(fitting.name, fitting.node), Stop(training.name, training.node)),
                conclusion="if the rows stand in order of time, the value is not known yet when it is needed",
                help=f"drop {column!r} from the features, or make it of earlier rows only",
            )
