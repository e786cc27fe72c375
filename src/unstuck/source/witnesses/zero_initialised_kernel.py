"""Kernels of zeros, one after the other."""

from __future__ import annotations

from collections.abc import Iterator

from unstuck.source.initialisers import Start, starts_of
from unstuck.source.sighting import Sighting
from unstuck.source.story import Story

CODE = "ACT201"


def sightings(story: Story) -> Iterator[Sighting]:
    for contract in story.contracts:
        for chain in contract.chains:
            starts = [start for start in starts_of(chain) if start is not None]
            zero = [start for start in starts if start.value == 0]
            if len(zero) < 2 and not any(_dead(start) for start in zero):
                continue
            yield Sighting(
                node=zero[-1].node,
                message="kernels start at zero" if len(zero) > 1 else "a ReLU layer starts at zero and stays there",
                label="all zeros",
                related=tuple((start.node, "all zeros") for start in zero[:-1]),
                conclusion="a layer of zeros passes nothing on and gets nothing back through the next layer of zeros",
                help="leave the initialiser at glorot_uniform, or use he_normal before a ReLU",
            )


def _dead(start: Start) -> bool:
    """ReLU has no slope at 0, so a hidden layer that starts there never moves."""
    return start.activation == "relu" and not start.last
