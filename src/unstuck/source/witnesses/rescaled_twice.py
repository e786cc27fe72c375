"""Pixels divided by 255 before the network and in it."""

from __future__ import annotations

from collections.abc import Iterator

from unstuck.source.networks import layers_of
from unstuck.source.sighting import Sighting
from unstuck.source.story import Story
from unstuck.source.values import Layer, Network, Thing, constant

CODE = "PIP104"
SHRINKS = 0.01
"""A factor at or below this one is a division by 255 (0.0039) or 127.5 (0.0078)."""


def sightings(story: Story) -> Iterator[Sighting]:
    for training in story.trainings:
        x, model = training.x, training.model
        if x is None or x.rescaled is None or not isinstance(model, Network):
            continue
        layers = [layer for layer in layers_of(model) or () if layer.name == "Rescaling" and _shrinks(layer, "scale")]
        places = [layer.node for layer in layers if layer.node is not None]
        if not places and x.generator is not None:
            places = [x.generator.node] if x.generator.node is not None and _shrinks(x.generator, "rescale") else []
        if not places:
            continue
        yield Sighting(
            node=places[0],
            message="the inputs are divided by 255 twice",
            label="a second time",
            related=((x.rescaled, "the first time"),),
            conclusion="inputs end between 0 and 0.004, where a network with ordinary first weights sees nothing",
            help="keep one of the two",
        )


def _shrinks(maker: Layer | Thing, name: str) -> bool:
    factor = constant(maker.argument(name, 0 if name == "scale" else None))
    return isinstance(factor, (int, float)) and 0 < factor <= SHRINKS
