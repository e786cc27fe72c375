"""Targets that the output cannot reach."""

from __future__ import annotations

from collections.abc import Iterator

from unstuck.source.contract import BINARY, SQUARED, judged, standardised
from unstuck.source.merging import as_data
from unstuck.source.sighting import Sighting
from unstuck.source.story import Story
from unstuck.source.values import Data

CODE = "OUT113"
_RANGE = {"sigmoid": "0 to 1", "hard_sigmoid": "0 to 1", "tanh": "-1 to 1"}


def sightings(story: Story) -> Iterator[Sighting]:
    for found in judged(story):
        head, loss = found.head, found.loss
        if head.activation not in _RANGE or loss is None or loss.name not in SQUARED | BINARY or head.units != 1:
            continue
        for training in story.trainings_of(found.compiled):
            y = as_data(training.y)
            beyond = _beyond(y) if y is not None else ""
            if beyond and (beyond != "raw" or loss.name in SQUARED):
                what = "standardised" if beyond == "standardised" else "on a scale of their own"
                yield Sighting(
                    node=head.activation_node,
                    message=f"the output lies between {_RANGE[head.activation].replace(' to ', ' and ')},"
                    f" and the targets are {what}",
                    label=_RANGE[head.activation],
                    related=((training.node, "targets beyond that"),),
                    severity="error",
                    conclusion="the best it can do is to stay at its bound for those rows",
                    help="use a linear output",
                )
                break


def _beyond(y: Data) -> str:
    """Why targets go beyond -1 to 1: they were standardised, or come `raw` from a data set of numbers."""
    if standardised(y):
        return "standardised"
    return "raw" if y.coding == "numbers" and not y.taints else ""
