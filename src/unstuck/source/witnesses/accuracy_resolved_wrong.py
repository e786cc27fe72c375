"""A metric called accuracy that compares something else."""

from __future__ import annotations

from collections.abc import Iterator

from unstuck.source.contract import judged, metrics_of
from unstuck.source.sighting import Sighting, in_call
from unstuck.source.story import Story
from unstuck.source.values import Thing, Value, named

CODE = "API109"


def sightings(story: Story) -> Iterator[Sighting]:
    for found in judged(story):
        head = found.head
        for metric in metrics_of(found.compiled):
            node = (metric.node if isinstance(metric, Thing) else None) or in_call(found.compiled.node, "metrics", 2)
            if _is_exact(metric) and head.activation in ("sigmoid", "softmax", "linear"):
                what = "outputs" if head.activation == "linear" else "probabilities"
                yield Sighting(
                    node=node,
                    message=f"keras.metrics.Accuracy compares {what} with labels for equality",
                    label="near 0, however good the network",
                    conclusion="an output is hardly ever exactly a label; training is not touched",
                    help='use metrics=["accuracy"], which becomes the one that fits the output',
                )
            elif _is_binary(metric) and head.activation == "softmax" and (head.units or 0) > 2:
                yield Sighting(
                    node=node,
                    message=f"binary accuracy counts each of {head.units} columns by itself",
                    label=f"{1 - 1 / head.units:.0%} for a network that knows nothing" if head.units else "",
                    conclusion="the columns that are rightly 0 count as right answers; training is not touched",
                    help='use metrics=["accuracy"], which becomes the one that fits the output',
                )


def _is_exact(metric: Value | None) -> bool:
    return isinstance(metric, Thing) and metric.path == "keras.metrics.Accuracy"


def _is_binary(metric: Value | None) -> bool:
    return named(metric).replace("_", "").lower() == "binaryaccuracy"
