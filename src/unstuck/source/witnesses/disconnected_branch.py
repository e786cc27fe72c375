"""A layer whose result nothing uses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from unstuck.source import vocabulary
from unstuck.source.sighting import Sighting
from unstuck.source.story import Story
from unstuck.source.values import Network, Tensor

CODE = "NET107"


def sightings(story: Story) -> Iterator[Sighting]:
    functional = [network for network in story.networks if network.outputs is not None]
    if not functional or not story.complete or any(_is_opaque(network) for network in story.networks):
        return
    trained = {training.model for training in story.trainings}
    used = _behind(tensor for network in functional for tensor in network.outputs or ())
    told: set[int] = set()
    for tensor in story.applied:
        layer = tensor.layer
        if layer is None or layer.node is None or tensor in used or layer.name not in vocabulary.WITH_WEIGHTS:
            continue
        own = _behind([tensor])
        reads = [n for n in functional if n in trained and own & _behind(n.outputs or ())]
        if not reads or id(layer) in told or any(tensor in later.inputs for later in story.applied):
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


def _is_opaque(network: Network) -> bool:
    """A model that may use tensors in ways that are not seen."""
    return network.own_class or (network.outputs is None and network.layers is None)


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
