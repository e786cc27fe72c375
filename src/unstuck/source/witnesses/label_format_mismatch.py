"""One-hot labels under a loss for class numbers, or the other way round."""

from __future__ import annotations

from collections.abc import Iterator

from unstuck.source.contract import CATEGORICAL, SPARSE, head_of, loss_of
from unstuck.source.networks import chains_of
from unstuck.source.sighting import Sighting, in_call
from unstuck.source.story import Story, Training
from unstuck.source.values import Data, Network

CODE = "OUT114"


def sightings(story: Story) -> Iterator[Sighting]:
    for training in story.trainings:
        coding = _coding(training)
        loss = loss_of(training.compiled) if training.compiled else None
        if not coding or loss is None or training.compiled is None or _units(training) == 1:
            continue
        written = in_call(training.compiled.node, "loss", 1)
        if coding == "one-hot" and loss.name in SPARSE:
            yield Sighting(
                node=written,
                message="the labels are one-hot rows, and the loss takes class numbers",
                label="wants class numbers",
                related=((training.node, "one-hot labels go in here"),),
                conclusion="rows of zeros and ones are no class numbers; Keras 3 mostly refuses them",
                help="use categorical_crossentropy, or leave the labels as numbers",
            )
        elif coding in ("integer", "binary") and loss.name in CATEGORICAL:
            yield Sighting(
                node=written,
                message="the labels are class numbers, and the loss takes one-hot rows",
                label="wants one-hot rows",
                related=((training.node, "class numbers go in here"),),
                conclusion="a number is taken for a row with one column; Keras 3 mostly refuses it",
                help="use sparse_categorical_crossentropy, or keras.utils.to_categorical on the labels",
            )


def _coding(training: Training) -> str:
    if isinstance(training.y, Data):
        return training.y.coding
    if training.x is not None and training.x.generator is not None:
        return training.x.coding
    return ""


def _units(training: Training) -> int | None:
    model = training.model
    chains = chains_of(model) if isinstance(model, Network) else ()
    head = head_of(chains[0]) if len(chains) == 1 else None
    return head.units if head else None
