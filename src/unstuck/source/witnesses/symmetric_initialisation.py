"""All units of a hidden layer start alike."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from unstuck.source.initialisers import starts_of
from unstuck.source.sighting import Sighting
from unstuck.source.story import Story

CODE = "ACT202"


def sightings(story: Story) -> Iterator[Sighting]:
    for contract in story.contracts:
        for chain in contract.chains:
            starts = starts_of(chain)
            for here, before in pairwise(starts):
                # units stay alike only if what follows treats them alike too
                if here is None or before is None or before.value in (None, 0) or here.value in (None, 0):
                    continue
                if before.units == 1:
                    continue
                yield Sighting(
                    node=before.node,
                    message="all units of this layer start alike, and the next layer treats them alike",
                    label="one constant for every weight",
                    related=((here.node, "one constant here too"),),
                    conclusion="units with equal weights get equal gradients, so the layer learns as one unit",
                    help="leave the initialiser at glorot_uniform",
                )
