"""A weight decay that empties the weights faster than they learn."""

from __future__ import annotations

from collections.abc import Iterator

from unstuck.source.contract import optimizer_of, rate_of
from unstuck.source.sighting import Sighting, argument_node
from unstuck.source.story import Story
from unstuck.source.values import constant

CODE = "OPT106"
STRONG = 0.01
"""Share of each weight that one step takes (rate x decay); at 0.01 half of a weight is gone after 69 steps."""
_DEFAULT_RATE = {"AdamW": 1e-3, "Adam": 1e-3, "SGD": 1e-2}


def sightings(story: Story) -> Iterator[Sighting]:
    for contract in story.contracts:
        optimizer = optimizer_of(contract.compiled)
        if optimizer is None or optimizer.name not in _DEFAULT_RATE:
            continue
        decay = constant(optimizer.argument("weight_decay"))
        stated = optimizer.argument("learning_rate", 0) or optimizer.argument("lr")
        rate = rate_of(optimizer) if stated is not None else _DEFAULT_RATE[optimizer.name]
        if not isinstance(decay, (int, float)) or rate is None or rate * decay < STRONG:
            continue
        yield Sighting(
            node=argument_node(optimizer, "weight_decay"),
            message=f"each step takes {rate * decay:.3g} of every weight away",
            label="learning rate × weight decay",
            conclusion="weights shrink faster than gradients build them, and the network answers with a constant",
            help="use a weight_decay of 0.0001 to 0.01",
        )
