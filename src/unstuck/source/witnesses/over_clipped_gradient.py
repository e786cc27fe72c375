"""A limit on gradients that lets nothing through."""

from __future__ import annotations

from collections.abc import Iterator

from unstuck.source.contract import optimizer_of
from unstuck.source.sighting import Sighting, argument_node
from unstuck.source.story import Story
from unstuck.source.values import constant

CODE = "OPT105"
SMALL = 1e-3
"""Norms of 0.1 to 10 are usual (Pascanu et al. 2013); below this the steps of SGD are too short to be seen."""
_INDEPENDENT = frozenset({"Adam", "AdamW", "Nadam", "Adamax", "RMSprop", "Adadelta", "Lion"})
"""These divide by the size of the gradient, so only a limit near their epsilon stops them."""
_NEAR_EPSILON = 1e-7


def sightings(story: Story) -> Iterator[Sighting]:
    for contract in story.contracts:
        optimizer = optimizer_of(contract.compiled)
        if optimizer is None:
            continue
        limit = _NEAR_EPSILON if optimizer.name in _INDEPENDENT else SMALL
        for name in ("clipnorm", "clipvalue", "global_clipnorm"):
            stated = constant(optimizer.argument(name))
            if not isinstance(stated, (int, float)) or isinstance(stated, bool) or not 0 < stated < limit:
                continue
            yield Sighting(
                node=argument_node(optimizer, name),
                message=f"gradients are cut to {stated:g}",
                label="hardly anything gets through",
                conclusion=f"steps are at most the learning rate times {stated:g}",
                help=f"use {name}=1.0, or none",
            )
