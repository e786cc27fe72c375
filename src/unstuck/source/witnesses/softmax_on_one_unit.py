"""Softmax over an axis of length one."""

from __future__ import annotations

from collections.abc import Iterator

from unstuck.source.contract import BINARY, CATEGORICAL, SPARSE, judged
from unstuck.source.sighting import Sighting, argument_node, in_call, quoted
from unstuck.source.story import Story
from unstuck.source.values import constant

CODE = "OUT101"


def sightings(story: Story) -> Iterator[Sighting]:
    for found in judged(story):
        head, loss = found.head, found.loss
        if head.activation != "softmax" or head.units != 1:
            continue
        place = head.places[0]
        axis = place.argument("axis")
        if axis is not None and constant(axis) != -1:
            continue
        node = head.activation_node
        written = in_call(found.compiled.node, "loss", 1)
        logged = loss is not None and loss.name in CATEGORICAL | SPARSE
        edits = quoted(node, place.argument("activation", 1 if place is head.layer else 0), "sigmoid")
        if loss is None or loss.name not in BINARY:
            changed = quoted(written, found.compiled.arguments.get("loss"), "binary_crossentropy")
            edits = edits + changed if changed and logged else ()
        yield Sighting(
            node=node,
            message="softmax over a single unit always outputs 1",
            label="divides one number by itself",
            related=(
                (argument_node(head.layer, "units", 0), "one unit"),
                *(((written, "log(1) = 0 for every label"),) if logged else ()),
            ),
            confidence="proven",
            conclusion="the output does not depend on the weights, so no data, learning rate or number of epochs can"
            " change it",
            help="use a sigmoid with binary cross-entropy",
            edits=edits,
            alternative="keep softmax, with two units and sparse_categorical_crossentropy",
        )
