"""First weights so large that every unit is saturated."""

from __future__ import annotations

from collections.abc import Iterator

from unstuck.source.initialisers import starts_of
from unstuck.source.sighting import Sighting
from unstuck.source.story import Story

CODE = "ACT203"
LARGE = 1.0
"""Standard deviation of single weights. Glorot gives sqrt(2 / (in + out)): below 0.6 from three units on each side on;
with 1.0 the variance of a pre-activation is the number of inputs."""


def sightings(story: Story) -> Iterator[Sighting]:
    for contract in story.contracts:
        for chain in contract.chains:
            for start in starts_of(chain):
                if start is None or start.deviation is None or start.deviation < LARGE:
                    continue
                yield Sighting(
                    node=start.node,
                    message=f"first weights with a standard deviation of {start.deviation:g}",
                    label="does not shrink with the number of inputs",
                    conclusion="the variance of what a unit sees is that of the weights times the number of inputs, so"
                    " units start saturated and the first losses are large",
                    help="leave the initialiser at glorot_uniform, or use he_normal before a ReLU",
                )
