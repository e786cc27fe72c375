"""A dropout that leaves almost nothing."""

from __future__ import annotations

from collections.abc import Iterator

from unstuck.source.sighting import Sighting, argument_node
from unstuck.source.story import Story
from unstuck.source.values import constant

CODE = "CAP202"
STRONG = 0.9
"""Share dropped. At 0.9 one unit in ten is left; a value above is often a share meant to be kept."""
_LAYERS = frozenset({"Dropout", "SpatialDropout1D", "SpatialDropout2D", "AlphaDropout", "GaussianDropout"})


def sightings(story: Story) -> Iterator[Sighting]:
    for contract in story.contracts:
        for layer in {layer: None for chain in contract.chains for layer in reversed(chain)}:
            rate = constant(layer.argument("rate", 0))
            if layer.name not in _LAYERS or not isinstance(rate, (int, float)) or not STRONG <= rate < 1:
                continue
            yield Sighting(
                node=argument_node(layer, "rate", 0),
                message=f"dropout of {rate:g} leaves {1 - rate:.0%} of the units",
                label="the share that is dropped, not kept",
                conclusion="training sees a fraction of the network at a time, and what it sees changes each step",
                help="use 0.1 to 0.5",
            )
