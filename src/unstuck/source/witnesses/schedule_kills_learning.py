"""A schedule that counts batches as if they were epochs."""

from __future__ import annotations

import math
from collections.abc import Iterator

from unstuck.source.contract import optimizer_of
from unstuck.source.sighting import Sighting
from unstuck.source.story import Story
from unstuck.source.values import Thing, constant

CODE = "OPT103"
SHORT = 25
"""Batches in which no network is trained; a thousand rows make 32 of them."""
LEFT = 0.01
"""Share of the first rate below which nothing moves any more."""


def sightings(story: Story) -> Iterator[Sighting]:
    for contract in story.contracts:
        optimizer = optimizer_of(contract.compiled)
        schedule = optimizer.argument("learning_rate", 0) if optimizer is not None else None
        steps = _batches(schedule) if isinstance(schedule, Thing) and schedule.node is not None else math.inf
        if not isinstance(schedule, Thing) or schedule.node is None or steps > SHORT:
            continue
        if story.rescheduled(contract.compiled):
            continue
        yield Sighting(
            node=schedule.node,
            message=f"the learning rate falls below a hundredth of itself within {math.ceil(steps)} batches",
            label="counts batches, not epochs",
            related=((contract.compiled.node, "trains with it"),),
            conclusion="from then on steps are so short that nothing changes any more",
            help="give decay_steps in batches: epochs times batches an epoch",
        )


def _batches(schedule: Thing) -> float:
    """Batches until less than a hundredth of the first rate is left; infinite where that is not stated."""
    first, steps = (
        constant(schedule.argument(name, i)) for i, name in enumerate(("initial_learning_rate", "decay_steps"))
    )
    if not isinstance(steps, (int, float)) or steps <= 0:
        return math.inf
    if schedule.name == "ExponentialDecay":
        rate = constant(schedule.argument("decay_rate", 2))
        plain = isinstance(rate, (int, float)) and 0 < rate < 1
        return steps * math.log(LEFT) / math.log(rate) if plain else math.inf
    if schedule.name == "PolynomialDecay" and constant(schedule.argument("cycle", 4), False) is False:
        end = constant(schedule.argument("end_learning_rate", 2), 1e-4)
        plain = isinstance(first, (int, float)) and isinstance(end, (int, float))
        return steps if plain and end < LEFT * first else math.inf
    if schedule.name == "CosineDecay" and not {"warmup_steps", "warmup_target"} & schedule.arguments.keys():
        alpha = constant(schedule.argument("alpha", 2), 0.0)
        return steps if isinstance(alpha, (int, float)) and alpha < LEFT else math.inf
    return math.inf
