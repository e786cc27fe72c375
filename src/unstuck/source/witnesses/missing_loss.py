"""Trained without anything to make smaller."""

from __future__ import annotations

from collections.abc import Iterator

from unstuck.source.sighting import Sighting
from unstuck.source.story import Story
from unstuck.source.values import Const, Network

CODE = "API102"


def sightings(story: Story) -> Iterator[Sighting]:
    if story.adds_loss:
        return
    for training in story.trainings:
        model, compiled = training.model, training.compiled
        if not isinstance(model, Network) or model.own_class or compiled is None or not compiled.complete:
            continue
        if model.name not in ("Sequential", "Model", "Functional"):
            continue
        loss = compiled.argument("loss", 1) or Const(None)
        own_layers = any(layer.cls is not None for layer in training.layers or ())
        if not isinstance(loss, Const) or loss.value is not None or own_layers or training.layers is None:
            continue
        yield Sighting(
            node=compiled.node,
            message="the model is compiled without a loss, and then trained",
            label="no loss",
            related=((training.node, "trains on nothing"),),
            confidence="proven",
            conclusion="there is nothing to differentiate: JAX shows a loss of 0, TensorFlow and PyTorch raise",
            help="give compile a loss",
        )
