"""Accuracy of targets that are numbers."""

from __future__ import annotations

from collections.abc import Iterator

from unstuck.source.contract import SQUARED, judged, metrics_of
from unstuck.source.merging import as_data
from unstuck.source.sighting import Sighting, in_call
from unstuck.source.story import Story
from unstuck.source.values import Const, named

CODE = "OUT201"


def sightings(story: Story) -> Iterator[Sighting]:
    for found in judged(story):
        counted = [
            m for m in metrics_of(found.compiled) if isinstance(m, Const) and named(m).lower() in ("acc", "accuracy")
        ]
        if not counted or found.head.activation == "softmax":
            continue
        for training in story.trainings_of(found.compiled):
            y, x = as_data(training.y), training.x
            if y is None:
                continue
            forecast = x is not None and any(lag.name == "window" for lag in x.lags) and not y.coding
            plain = found.head.activation == "linear" and found.loss is not None and found.loss.name in SQUARED
            if y.coding == "numbers" or (forecast and plain):
                yield Sighting(
                    node=in_call(found.compiled.node, "metrics", 2),
                    message="accuracy counts exact equality, and these targets are numbers",
                    label="0, or another constant",
                    related=((training.node, "targets that are numbers"),),
                    conclusion="the metric says nothing about the network; training is not touched",
                    help='use metrics=["mae"]',
                )
                break
