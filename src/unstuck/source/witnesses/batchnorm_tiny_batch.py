"""Batch normalisation of plain features in batches of a row or a few."""

from __future__ import annotations

from collections.abc import Iterator

from unstuck.source.networks import layers_of
from unstuck.source.sighting import Sighting, in_call
from unstuck.source.story import Story
from unstuck.source.values import Layer, Network, constant

CODE = "CAP203"
TINY = 2
"""Rows. With one the layer puts out its bias; with two each feature is +1 or -1. From four on it mostly trains."""
_PLAIN = frozenset(
    {"Dense", "Dropout", "Activation", "ReLU", "LeakyReLU", "ELU", "PReLU", "Softmax", "BatchNormalization", "Flatten"}
)


def sightings(story: Story) -> Iterator[Sighting]:
    for training in story.trainings:
        model, size = training.model, constant(training.arguments.get("batch_size", training.arguments.get("#2")))
        if not isinstance(model, Network) or model.own_class or not isinstance(size, int) or not 1 <= size <= TINY:
            continue
        layers = layers_of(model) or []
        norms = [layer for layer in layers if layer.name == "BatchNormalization" and layer.trainable]
        if not norms or norms[0].node is None or not _on_features(layers):
            continue
        what = "the layer takes away the row itself" if size == 1 else "each feature becomes +1 or -1"
        yield Sighting(
            node=in_call(training.node, "batch_size", 2),
            message=f"batch normalisation in batches of {size} row{'s' if size > 1 else ''}",
            label=f"the mean of {size} row{'s' if size > 1 else ''}",
            related=((norms[0].node, "normalises by the mean of the batch"),),
            conclusion=f"{what}, so nothing of it gets through in training; at inference other statistics are used",
            help="use batches of 16 rows and more, or layer normalisation",
        )


def _on_features(layers: list[Layer]) -> bool:
    """No pixels or steps that would count as rows."""
    return all(layer.name in _PLAIN for layer in layers) and any(layer.name == "Dense" for layer in layers)
