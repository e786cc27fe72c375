"""A train_step of the program's own that runs the network as in inference."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from unstuck.source.networks import layers_of
from unstuck.source.sighting import Sighting
from unstuck.source.story import Story
from unstuck.source.values import Layer

CODE = "API115"
_DIFFERENT = {"Dropout": "dropout", "BatchNormalization": "batch normalisation", "SpatialDropout1D": "dropout"}
"""Layers that work otherwise in training."""


def sightings(story: Story) -> Iterator[Sighting]:
    told: set[ast.AST] = set()
    for network in story.networks:
        if network.cls is None or "train_step" not in network.cls.methods or network.cls.node in told:
            continue
        step = network.cls.methods["train_step"]
        calls = [node for node in ast.walk(step) if isinstance(node, ast.Call) and ast.unparse(node.func) == "self"]
        kept = [value for value in network.attributes.values() if isinstance(value, Layer)]
        inner = [layer for layer in [*kept, *(layers_of(network) or [])] if layer.name in _DIFFERENT]
        plain = [call for call in calls if len(call.args) == 1 and not call.keywords]
        if not inner or not calls or len(plain) != len(calls):
            continue
        told.add(network.cls.node)
        yield Sighting(
            node=plain[0],
            message=f"train_step calls the model without training=True, and the model has {_DIFFERENT[inner[0].name]}",
            label="runs as in inference",
            related=((inner[0].node, "works otherwise in training"),) if inner[0].node is not None else (),
            conclusion="dropout is off, and the averages of BatchNormalization stay at 0 and 1",
            help="call self(x, training=True)",
        )
