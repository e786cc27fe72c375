"""A penalty on weights that outweighs the data."""

from __future__ import annotations

from collections.abc import Iterator

from unstuck.source.sighting import Sighting, argument_node
from unstuck.source.story import Story
from unstuck.source.values import Thing, Value, constant

CODE = "CAP201"
STRONG = 1.0
"""Factor of an L1 or L2 penalty. With 1 a single weight of 1 costs as much as the log loss of being wrong at random
between three classes; usual factors are 1e-5 to 1e-2."""
_FACTORS = {"l1": ("l1",), "l2": ("l2",), "l1l2": ("l1", "l2")}


def sightings(story: Story) -> Iterator[Sighting]:
    for contract in story.contracts:
        found: dict[int, Sighting] = {}
        for layer in {layer: None for chain in contract.chains for layer in reversed(chain)}:
            given = layer.argument("kernel_regularizer")
            factor = _factor(given)
            if factor < STRONG:
                continue
            found[id(given)] = Sighting(
                node=argument_node(layer, "kernel_regularizer"),
                message=f"a penalty of {factor:g} times the weights outweighs the data",
                label=f"factor {factor:g}",
                conclusion="the cheapest network is then one with weights near zero, which answers every row alike",
                help="use 1e-5 to 1e-2",
            )
        yield from found.values()


def _factor(given: Value | None) -> float:
    """The larger factor of an L1 or L2 penalty; 0 where it is not stated."""
    if not isinstance(given, Thing) or (name := given.name.replace("_", "").lower()) not in _FACTORS:
        return 0.0
    stated = [given.argument(part, position) for position, part in enumerate(_FACTORS[name])] + [given.argument("l")]
    factors = [constant(value) for value in stated]
    return max((float(factor) for factor in factors if isinstance(factor, (int, float))), default=0.0)
