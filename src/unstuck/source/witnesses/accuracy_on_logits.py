"""Accuracy that counts logits above 0.5."""

from __future__ import annotations

from collections.abc import Iterator

from unstuck.source.contract import BINARY, judged, metrics_of
from unstuck.source.sighting import Sighting, in_call
from unstuck.source.story import Story
from unstuck.source.values import Const, Thing, Value, named

CODE = "OUT202"
_NAMES = frozenset({"accuracy", "acc", "binaryaccuracy", "precision", "recall"})


def sightings(story: Story) -> Iterator[Sighting]:
    for found in judged(story):
        loss = found.loss
        if found.head.units != 1 or found.head.activation != "linear" or loss is None:
            continue
        wrong = [metric for metric in metrics_of(found.compiled) if _counts_above_half(metric)]
        if loss.name not in BINARY or loss.from_logits is not True or not wrong:
            continue
        yield Sighting(
            node=in_call(found.compiled.node, "metrics", 2),
            message=f"{named(wrong[0])} counts logits above 0.5 as class 1",
            label="the border of a logit is 0",
            related=((in_call(found.compiled.node, "loss", 1), "takes the output for logits"),),
            conclusion="rows with a probability between 0.5 and 0.62 are counted as class 0; training is not touched",
            help="use keras.metrics.BinaryAccuracy(threshold=0)",
        )


def _counts_above_half(metric: Value | None) -> bool:
    plain = named(metric).replace("_", "").lower()
    if isinstance(metric, Const):
        return plain in _NAMES - {"precision", "recall"}
    made = isinstance(metric, Thing) and metric.path.startswith("keras.metrics.") and metric.complete
    return made and isinstance(metric, Thing) and plain in _NAMES - {"accuracy"} and not _has_border(metric)


def _has_border(metric: Thing) -> bool:
    position = 2 if metric.name == "BinaryAccuracy" else 0
    return bool({"threshold", "thresholds", f"#{position}"} & metric.arguments.keys())
