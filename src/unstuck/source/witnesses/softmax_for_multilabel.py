"""One unit of probability shared among labels that may all be true."""

from __future__ import annotations

from collections.abc import Iterator

from unstuck.source.contract import judged
from unstuck.source.sighting import Sighting
from unstuck.source.story import Story
from unstuck.source.values import Data

CODE = "OUT110"


def sightings(story: Story) -> Iterator[Sighting]:
    for found in judged(story):
        head = found.head
        trained = story.trainings_of(found.compiled)
        several = [t for t in trained if isinstance(t.y, Data) and t.y.coding == "multi-hot"]
        if head.activation != "softmax" or head.units == 1 or not several:
            continue
        yield Sighting(
            node=head.activation_node,
            message="softmax over labels of which several may be true",
            label="the outputs of a row sum to 1",
            related=((several[0].node, "rows of labels from MultiLabelBinarizer"),),
            severity="error",
            conclusion="with k labels the best answer is 1/k for each of them, so none goes above one half",
            help='use activation="sigmoid" and loss="binary_crossentropy"',
        )
