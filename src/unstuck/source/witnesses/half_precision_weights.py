"""Weights, not only arithmetic, in half precision."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from unstuck.source import vocabulary
from unstuck.source.sighting import Sighting, argument_node
from unstuck.source.story import Story
from unstuck.source.values import Network, named

CODE = "NUM104"
_HALF = ("float16", "bfloat16")


def sightings(story: Story) -> Iterator[Sighting]:
    trained = [training for training in story.trainings if isinstance(training.model, Network)]
    for training in trained:
        for layer in training.layers or ():
            wanted = named(layer.argument("dtype"))
            if wanted in _HALF and layer.name in vocabulary.WITH_WEIGHTS:
                yield _sighting(argument_node(layer, "dtype"), wanted, training.node)
    for symbol, node, given in story.called:
        wanted = named(given[0]) if given else ""
        if symbol.root not in ("keras", "tensorflow") or wanted not in _HALF or not trained:
            continue
        yield _sighting(node, wanted, trained[0].node)


def _sighting(node: ast.AST, wanted: str, training: ast.AST) -> Sighting:
    return Sighting(
        node=node,
        message=f"the weights are kept in {wanted}",
        label="three decimal digits" if wanted == "float16" else "two decimal digits",
        related=((training, "trained in it"),),
        conclusion="small updates are rounded away, and squared gradients in Adam underflow to 0",
        help=f'use the policy "mixed_{wanted}": weights stay float32',
    )
