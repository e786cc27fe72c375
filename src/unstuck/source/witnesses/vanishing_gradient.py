"""A stack of sigmoid layers so deep that hardly any gradient reaches the first."""

from __future__ import annotations

from collections.abc import Iterator

from unstuck.source.contract import activation_name
from unstuck.source.sighting import Sighting, argument_node
from unstuck.source.story import Story

CODE = "ACT103"
DEEP = 6
"""Sigmoid layers in a row. Each passes on at most a quarter of the gradient, six 1/4096 of it."""
_BREAKING = frozenset({"BatchNormalization", "LayerNormalization", "Add", "add", "Concatenate", "concatenate"})
"""Layers that put the scale right again, or lead around the stack."""


def sightings(story: Story) -> Iterator[Sighting]:
    for contract in story.contracts:
        for chain in contract.chains:
            hidden = [layer for layer in chain if layer.name == "Dense"][1:]
            stack = [layer for layer in hidden if activation_name(layer.argument("activation", 1)) == "sigmoid"]
            started = any("kernel_initializer" in layer.arguments for layer in stack)
            if len(stack) < DEEP or started or any(layer.name in _BREAKING for layer in chain):
                continue
            first, last = stack[-1], stack[0].node
            yield Sighting(
                node=argument_node(first, "activation", 1),
                message=f"the gradient passes {len(stack)} sigmoid layers, each of which leaves at most a quarter",
                label="the first layers hardly learn",
                related=((last, "the last of them"),) if last is not None and last is not first.node else (),
                conclusion=f"at most 1/{4 ** len(stack):,} of it reaches the first layer, times what the kernels make"
                " of it",
                help="use relu with kernel_initializer he_normal in hidden layers, or BatchNormalization between them",
            )
