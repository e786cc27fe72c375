"""A rate far above what its optimiser works with."""

from __future__ import annotations

from collections.abc import Iterator

from unstuck.source.contract import optimizer_of, rate_of
from unstuck.source.sighting import Sighting, argument_node
from unstuck.source.story import Story

CODE = "OPT101"
FAR = {"SGD": 1.0, "Adagrad": 1.0, "Adadelta": 100.0, "Ftrl": 1.0}
USUALLY_FAR = 0.1
"""Rates above these (Adam's family: 0.1) are a hundred times what Keras defaults to: Adam 0.001, SGD 0.01,
Adadelta 0.001 with 1.0 in its paper. A large rate can learn on scaled data, so this is never proven."""


def sightings(story: Story) -> Iterator[Sighting]:
    for contract in story.contracts:
        optimizer = optimizer_of(contract.compiled)
        rate = rate_of(optimizer) if optimizer is not None else None
        if optimizer is None or rate is None or story.rescheduled(contract.compiled):
            continue
        usual = FAR.get(optimizer.name, USUALLY_FAR)
        if rate < usual or (rate == usual and optimizer.name in FAR):
            continue
        named = "learning_rate" if "learning_rate" in optimizer.arguments else "lr"
        yield Sighting(
            node=argument_node(optimizer, named, 0),
            message=f"a learning rate of {rate:g} for {optimizer.name}",
            label="steps too long",
            related=((contract.compiled.node, "trains with it"),),
            conclusion=f"{optimizer.name} rarely works from {usual:g} on; `unstuck run` tries smaller rates",
            help="try the optimiser's default first",
        )
