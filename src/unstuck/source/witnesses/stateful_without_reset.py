"""A recurrent layer that carries its state over into rows that do not continue."""

from __future__ import annotations

from collections.abc import Iterator

from unstuck.source.networks import layers_of
from unstuck.source.sighting import Sighting, argument_node
from unstuck.source.story import Story
from unstuck.source.values import Layer, Network, Thing, constant

CODE = "API112"
_RECURRENT = frozenset({"LSTM", "GRU", "SimpleRNN", "RNN", "ConvLSTM2D"})


def sightings(story: Story) -> Iterator[Sighting]:
    for training in story.trainings:
        model, shuffle = training.model, constant(training.arguments.get("shuffle"), True)
        if not isinstance(model, Network) or training.name != "fit" or shuffle is not True:
            continue
        if "#0" in training.arguments and isinstance(training.arguments["#0"], Thing) and training.x is None:
            continue
        reads_arrays = "y" in training.arguments or "#1" in training.arguments
        stateful = [layer for layer in layers_of(model) or [] if _is_stateful(layer)]
        if not stateful or not reads_arrays or stateful[0].node is None:
            continue
        yield Sighting(
            node=argument_node(stateful[0], "stateful"),
            message="a stateful layer is trained on shuffled rows",
            label="keeps the state of the last batch",
            related=((training.node, "fit shuffles by default"),),
            conclusion="each row begins in the state in which an unrelated one ended",
            help="drop stateful=True, or fit with shuffle=False and reset the states where a series begins",
        )


def _is_stateful(layer: Layer) -> bool:
    return layer.name in _RECURRENT and constant(layer.argument("stateful")) is True
