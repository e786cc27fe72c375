"""A squared error on probabilities of classes."""

from __future__ import annotations

from collections.abc import Iterator

from unstuck.source.contract import SQUARED, judged, metrics_of
from unstuck.source.sighting import Sighting, in_call
from unstuck.source.story import Story
from unstuck.source.values import Compiled, named

CODE = "OUT116"


def sightings(story: Story) -> Iterator[Sighting]:
    for found in judged(story):
        head, loss = found.head, found.loss
        if loss is None or loss.name not in SQUARED or not _counts_accuracy(found.compiled):
            continue
        if head.activation not in ("softmax", "sigmoid") or (head.activation == "softmax" and head.units == 1):
            continue
        yield Sighting(
            node=in_call(found.compiled.node, "loss", 1),
            message=f"a {loss.spoken} on the probabilities of classes",
            label=f"flat where the {head.activation} is sure and wrong",
            severity="note",
            conclusion="it trains, more slowly: the gradient holds the factor p(1 − p)",
            help="use " + ("binary_crossentropy" if head.activation == "sigmoid" else "categorical_crossentropy"),
        )


def _counts_accuracy(compiled: Compiled) -> bool:
    """Accuracy is asked for, so the targets are classes."""
    return any("acc" in named(metric).lower() for metric in metrics_of(compiled))
