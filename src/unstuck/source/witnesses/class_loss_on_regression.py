"""A loss for classes on targets that are numbers."""

from __future__ import annotations

from collections.abc import Iterator

from unstuck.source.contract import CROSSENTROPIES, judged
from unstuck.source.merging import as_data
from unstuck.source.sighting import Sighting, in_call
from unstuck.source.story import Story

CODE = "OUT115"


def sightings(story: Story) -> Iterator[Sighting]:
    for found in judged(story):
        loss = found.loss
        if loss is None or loss.name not in CROSSENTROPIES:
            continue
        for training in story.trainings_of(found.compiled):
            y = as_data(training.y)
            if y is not None and y.coding == "numbers" and not y.taints:
                yield Sighting(
                    node=in_call(found.compiled.node, "loss", 1),
                    message=f"{loss.spoken} takes class labels, and these targets are numbers",
                    label="a loss for classes",
                    related=((training.node, "targets that are numbers"),),
                    severity="error",
                    conclusion="no probability fits such a target, so the loss falls without end or stays where it is",
                    help='use a linear output and loss="mse", with targets that are scaled',
                )
                break
