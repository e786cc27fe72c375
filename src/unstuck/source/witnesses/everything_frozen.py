"""No weight that training could change."""

from __future__ import annotations

from collections.abc import Iterator

from unstuck.source.sighting import Sighting
from unstuck.source.story import Story

CODE = "NET101"


def sightings(story: Story) -> Iterator[Sighting]:
    for contract in story.contracts:
        if not contract.frozen:
            continue
        used = [t for t in story.trainings_of(contract.compiled) if t.thawed is None]
        if not used:
            continue
        yield Sighting(
            node=used[0].node,
            message="every layer of the model is frozen, and then it is trained",
            label="nothing can change",
            related=((contract.compiled.node, "compiled with trainable=False everywhere"),),
            conclusion="no weight takes part in training, so every epoch is the same",
            help="set trainable=True on the layers that should learn, then compile again",
        )
