"""A dense output for every position of an image, and one label a row."""

from __future__ import annotations

from collections.abc import Iterator

from unstuck.source.contract import CROSSENTROPIES, judged
from unstuck.source.sighting import Sighting
from unstuck.source.story import Story
from unstuck.source.values import Data, Layer

CODE = "OUT127"
_KEEPING = frozenset(
    {
        *("Dense", "Dropout", "Activation", "ReLU", "LeakyReLU", "ELU", "PReLU", "Softmax", "BatchNormalization"),
        *("SpatialDropout1D", "SpatialDropout2D", "LayerNormalization", "GaussianNoise"),
    }
)
"""Layers that leave the positions of a row apart."""
_POSITIONS = frozenset(
    {"Conv1D", "Conv2D", "Conv3D", "SeparableConv2D", "DepthwiseConv2D", "MaxPooling1D", "MaxPooling2D", "Embedding"}
)
_CODINGS = ("integer", "one-hot", "binary", "multi-hot")


def sightings(story: Story) -> Iterator[Sighting]:
    for found in judged(story):
        loss = found.loss
        if loss is None or loss.name not in CROSSENTROPIES or found.head.layer.name != "Dense":
            continue
        trained = story.trainings_of(found.compiled)
        coded = [t for t in trained if isinstance(t.y, Data) and t.y.coding in _CODINGS]
        coded += [t for t in trained if t.y is None and t.x is not None and t.x.coding in _CODINGS and t.x.generator]
        last = _last_with_positions(found.contract.chains[0])
        if not coded or last is None or last.node is None or found.head.layer.node is None:
            continue
        yield Sighting(
            node=found.head.layer.node,
            message="an answer for every position of a row, and one label a row",
            label="works on the last axis only",
            related=((last.node, "positions from here on"), (coded[0].node, "one label a row")),
            severity="error",
            conclusion="nothing brings the positions together: the first step fails, or each is asked for the answer"
            " of all",
            help="put a Flatten or a pooling such as GlobalAveragePooling2D before the first dense layer",
        )


def _last_with_positions(chain: tuple[Layer, ...]) -> Layer | None:
    """The layer before the dense ones that gives several positions a row; None if something brings them together."""
    for layer in chain:
        if layer.name in _POSITIONS:
            return layer
        if layer.name not in _KEEPING:
            return None
    return None
