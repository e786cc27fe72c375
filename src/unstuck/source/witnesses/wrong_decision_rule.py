"""Predictions that are read as classes in a way that does not fit the output."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from unstuck.source.contract import BINARY, head_of, loss_of
from unstuck.source.networks import chains_of
from unstuck.source.sighting import Sighting
from unstuck.source.story import Reading, Story
from unstuck.source.values import Network

CODE = "EVA105"


def sightings(story: Story) -> Iterator[Sighting]:
    for reading in story.readings:
        for test in sorted(reading.tests, key=lambda test: test.node.lineno):
            model = test.model
            chains = chains_of(model) if isinstance(model, Network) and not model.own_class else ()
            head = head_of(chains[0]) if len(chains) == 1 and test.name == "predict" else None
            if head is None or head.units != 1 or not isinstance(model, Network):
                continue
            loss = loss_of(model.compiled) if model.compiled is not None else None
            if reading.how == "argmax" and reading.by in (1, -1):
                yield _argmax(reading, head.layer.node or test.node)
            logits = loss is not None and loss.name in BINARY and loss.from_logits is True
            if reading.how == "threshold" and reading.by == 0.5 and head.activation == "linear" and logits:
                yield _threshold(reading, head.layer.node or test.node)


def _argmax(reading: Reading, output: ast.AST) -> Sighting:
    return Sighting(
        node=reading.node,
        message="argmax over a single output is class 0 for every row",
        label="the largest of one number",
        related=((output, "one output"),),
        confidence="proven",
        conclusion="whatever the network has learnt, every row is read as class 0",
        help="compare the output with 0.5: (predictions > 0.5).astype(int)",
    )


def _threshold(reading: Reading, output: ast.AST) -> Sighting:
    return Sighting(
        node=reading.node,
        message="logits are compared with 0.5",
        label="0.5 is a probability of 0.62",
        related=((output, "a linear output: logits"),),
        conclusion="rows with a probability between 0.5 and 0.62 are read as class 0",
        help="compare logits with 0, or take the sigmoid first",
    )
