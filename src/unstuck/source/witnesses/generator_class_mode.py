"""One-hot labels from a folder, for a single unit."""

from __future__ import annotations

from collections.abc import Iterator

from unstuck.source.contract import BINARY, head_of, loss_of
from unstuck.source.networks import chains_of
from unstuck.source.sighting import Sighting
from unstuck.source.story import Story
from unstuck.source.values import Network

CODE = "DAT112"


def sightings(story: Story) -> Iterator[Sighting]:
    for training in story.trainings:
        x, model = training.x, training.model
        generator = x.generator if x is not None else None
        if x is None or generator is None or generator.node is None or not isinstance(model, Network):
            continue
        chains = chains_of(model)
        head = head_of(chains[0]) if len(chains) == 1 else None
        loss = loss_of(training.compiled) if training.compiled else None
        if head is None or head.units != 1 or head.layer.node is None or loss is None or loss.name not in BINARY:
            continue
        if x.coding != "one-hot":
            continue
        yield Sighting(
            node=generator.node,
            message="the folder gives one-hot labels, and the network has one output unit",
            label="class_mode is categorical",
            related=((head.layer.node, "one unit"), (training.node, "meet here")),
            conclusion="every unit of the one-hot row is compared with the one output, so half of them are wrong",
            help='use class_mode="binary"',
        )
