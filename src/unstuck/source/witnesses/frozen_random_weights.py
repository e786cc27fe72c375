"""A frozen network of keras.applications that was given no weights."""

from __future__ import annotations

from collections.abc import Iterator

from unstuck.source.sighting import Sighting, argument_node
from unstuck.source.story import Story
from unstuck.source.values import Const

CODE = "NET112"


def sightings(story: Story) -> Iterator[Sighting]:
    for contract in story.contracts:
        for base in contract.frozen_parts:
            weights = base.argument("weights", 1)
            random = ".applications." in base.path and isinstance(weights, Const) and weights.value is None
            if not random or base.loaded or base.trained or contract.network.loaded:
                continue
            yield Sighting(
                node=argument_node(base, "weights", 1),
                message=f"{base.name} is frozen with random weights, which nothing has trained",
                label="random weights",
                related=((contract.compiled.node, "compiled while it is frozen"),),
                conclusion="only what follows it learns, from random features of the images",
                help='use weights="imagenet", or let it train',
            )
