"""An answer for every step of a sequence, and one target a sequence."""

from __future__ import annotations

from collections.abc import Iterator

from unstuck.source.contract import judged
from unstuck.source.merging import as_data
from unstuck.source.sighting import Sighting, argument_node
from unstuck.source.story import Story, Training
from unstuck.source.values import Layer, constant

CODE = "OUT121"
_RECURRENT = frozenset({"LSTM", "GRU", "SimpleRNN"})
_KEEPING = frozenset({"Dense", "TimeDistributed", "Dropout", "Activation", "BatchNormalization", "LayerNormalization"})


def sightings(story: Story) -> Iterator[Sighting]:
    for found in judged(story):
        last = _last_recurrent(found.contract.chains[0])
        single = [t for t in story.trainings_of(found.compiled) if _one_target(t)]
        if last is None or not single or found.head.layer.node is None:
            continue
        yield Sighting(
            node=argument_node(last, "return_sequences"),
            message="the network answers for every step, and each sequence has one target",
            label="gives all steps",
            related=((found.head.layer.node, "an answer for each of them"), (single[0].node, "one target a sequence")),
            severity="error",
            conclusion="the target is compared with the answer of every step, also of those before anything was seen",
            help="drop return_sequences=True from the last recurrent layer",
        )


def _last_recurrent(chain: tuple[Layer, ...]) -> Layer | None:
    """The recurrent layer behind the dense ones, if it gives every step."""
    for layer in chain:
        inner = layer.argument("layer", 0) if layer.name == "Bidirectional" else layer
        if isinstance(inner, Layer) and inner.name in _RECURRENT:
            return inner if constant(inner.argument("return_sequences")) is True else None
        if layer.name not in _KEEPING:
            return None
    return None


def _one_target(training: Training) -> bool:
    """Class numbers of a known kind, or the value that follows a window."""
    x, y = training.x, as_data(training.y)
    if x is None or y is None or y.coding == "one-hot":
        return False
    windows = {lag for lag in x.lags if lag.name == "window"}
    return y.coding == "integer" or bool(windows and not any(lag.name == "window" for lag in y.lags))
