"""A rate far below what its optimiser works with."""

from __future__ import annotations

from collections.abc import Iterator

from unstuck.source.contract import optimizer_of, rate_of
from unstuck.source.networks import layers_of
from unstuck.source.sighting import Sighting, argument_node
from unstuck.source.story import Contract, Story
from unstuck.source.values import Network

CODE = "OPT102"
FAR = 1e-7
"""Fine-tuning goes down to about 1e-6; at 1e-7 Adam moves a weight by at most 1e-7 a step, 0.001 in 10,000 steps."""


FRESH = 1e-6
"""The same for a network that was built here: it has nothing to fine-tune."""


def sightings(story: Story) -> Iterator[Sighting]:
    for contract in story.contracts:
        optimizer = optimizer_of(contract.compiled)
        rate = rate_of(optimizer) if optimizer is not None else None
        if (
            optimizer is None
            or rate is None
            or not 0 <= rate <= (FRESH if _is_fresh(contract) else FAR)
            or story.rescheduled(contract.compiled)
        ):
            continue
        named = "learning_rate" if "learning_rate" in optimizer.arguments else "lr"
        yield Sighting(
            node=argument_node(optimizer, named, 0),
            message=f"a learning rate of {rate:g} for {optimizer.name}",
            label="steps too short",
            related=((contract.compiled.node, "trains with it"),),
            conclusion="the loss stays at its first value for thousands of steps",
            help="try the optimiser's default first",
        )


def _is_fresh(contract: Contract) -> bool:
    """All layers are built in this file, and no weights are loaded."""
    layers = layers_of(contract.network)
    plain = layers is not None and not any(isinstance(layer, Network) or layer.cls for layer in layers)
    return plain and contract.network.name == "Sequential" and not contract.network.loaded
