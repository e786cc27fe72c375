"""Inputs and labels of the same rows that were divided in two calls with different seeds."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from unstuck.source.merging import as_data
from unstuck.source.rows import Rows, Side
from unstuck.source.sighting import Sighting, in_call
from unstuck.source.story import Split, Story

CODE = "DAT108"


def sightings(story: Story) -> Iterator[Sighting]:
    alone = [split for split in story.splits if split.shuffled and len(split.parts) == 2]
    for training in story.trainings:
        x, y = training.x, as_data(training.y)
        if x is None or y is None:
            continue
        first = [s for s in alone if _went_through(x.rows, s) and not _went_through(y.rows, s)]
        second = [s for s in alone if _went_through(y.rows, s) and not _went_through(x.rows, s)]
        if len(first) != 1 or len(second) != 1 or _same_order(first[0], second[0]):
            continue
        yield Sighting(
            node=second[0].node,
            message="inputs and labels are divided in two calls, each at random",
            label="the labels, in another order",
            related=((first[0].node, "the inputs"), (training.node, "trained on as pairs")),
            severity="error",
            conclusion="each row is paired with the label of another, so nothing about the inputs predicts it",
            help="divide both in one call: train_test_split(x, y)",
        )


def _sides(rows: Rows) -> set[Side]:
    return {side for _, sides in rows for side in sides}


def _went_through(rows: Rows, split: Split) -> bool:
    names = {name for name, _ in _sides(split.parts[0].rows) - _sides(split.parts[1].rows)}
    return any(name in names for name, _ in _sides(rows))


def _same_order(one: Split, other: Split) -> bool:
    """Two calls with one seed divide tables of the same length alike."""
    seeds = [in_call(split.node, "random_state") for split in (one, other)]
    stated = all(seed is not split.node for seed, split in zip(seeds, (one, other), strict=True))
    return stated and ast.unparse(seeds[0]) == ast.unparse(seeds[1])
