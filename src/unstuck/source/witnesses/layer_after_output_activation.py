"""Something that disturbs finished probabilities on their way to the loss."""

from __future__ import annotations

from collections.abc import Iterator

from unstuck.source.contract import CROSSENTROPIES, head_of, loss_of
from unstuck.source.sighting import Sighting
from unstuck.source.story import Story
from unstuck.source.values import Layer

CODE = "OUT126"
_DISTURBING = {
    "Dropout": "dropout",
    "AlphaDropout": "dropout",
    "GaussianDropout": "dropout",
    "GaussianNoise": "noise",
    "BatchNormalization": "batch normalisation",
    "LayerNormalization": "layer normalisation",
}


def sightings(story: Story) -> Iterator[Sighting]:
    for contract in story.contracts:
        loss = loss_of(contract.compiled)
        if len(contract.chains) != 1 or contract.network.own_class:
            continue
        if loss is None or loss.name not in CROSSENTROPIES or loss.from_logits is not False:
            continue
        chain = contract.chains[0]
        after = _disturbing(chain)
        head = head_of(chain[len(after) :])
        if not after or head is None or head.activation not in ("softmax", "sigmoid") or after[-1].node is None:
            continue
        output = head.places[0].node or after[-1].node
        yield Sighting(
            node=after[-1].node,
            message=f"{_DISTURBING[after[-1].name]} after the {head.activation} of the output",
            label="disturbs finished probabilities",
            related=((output, "probabilities from here"),),
            conclusion="what reaches the loss is no longer a probability: a right class that is set to 0 costs 16,"
            " whatever the network has learnt",
            help="put it before the last layer, or leave it out",
        )


def _disturbing(chain: tuple[Layer, ...]) -> tuple[Layer, ...]:
    """The layers at the very end that change probabilities; they stand last to first."""
    count = next((i for i, layer in enumerate(chain) if layer.name not in _DISTURBING), len(chain))
    return chain[:count]
