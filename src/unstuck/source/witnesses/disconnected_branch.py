"""A layer whose result nothing uses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from unstuck.source import vocabulary
from unstuck.source.sighting import Sighting
from unstuck.source.story import Story
from unstuck.source.values import Tensor

CODE = "NET107"


def sightings(story: Story) -> Iterator[Sighting]:
    trained = {training.model for training in story.trainings}
    functional = [(n, _behind(n.outputs)) for n in story.networks if n.outputs and n in trained]
    told: set[int] = set()
    for tensor in story.applied if story.complete and not story.adds_loss else ():
        layer = tensor.layer
        if tensor.used or layer is None or layer.node is None or layer.name not in vocabulary.WITH_WEIGHTS:
            continue
        own = _behind([tensor])
        reads = [network for network, behind in functional if own & behind]
        if not reads or id(layer) in told:
            continue
        told.add(id(layer))
        yield Sighting(
            node=layer.node,
            message="what this layer computes is used by nothing",
            label="leads nowhere",
            related=((reads[0].node, "the model that is trained"),) if reads[0].node is not None else (),
            conclusion="a model holds what lies on the way to its outputs; this layer is not part of it",
            help="use its result in the next layer, or delete it",
        )


def _behind(tensors: Iterable[Tensor]) -> set[Tensor]:
    """These tensors and all they were made from."""
    found: set[Tensor] = set()
    waiting = list(tensors)
    while waiting:
        tensor = waiting.pop()
        if tensor not in found:
            found.add(tensor)
            waiting += tensor.inputs
    return found
