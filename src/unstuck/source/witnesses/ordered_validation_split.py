"""Validation rows cut off the end of labels that are sorted."""

from __future__ import annotations

from collections.abc import Iterator

from unstuck.source.merging import as_data
from unstuck.source.rows import added, source
from unstuck.source.sighting import Sighting
from unstuck.source.story import Story
from unstuck.source.values import Data

CODE = "LEK206"
SORTED = frozenset({"load_iris", "load_wine"})
"""Data sets of scikit-learn whose rows are sorted by class."""


def sightings(story: Story) -> Iterator[Sighting]:
    for training in story.trainings:
        y = as_data(training.y)
        if training.held_back is None or y is None or not _is_sorted(y, training.x):
            continue
        first = y.in_blocks or (y.trail[0].node if y.trail else training.node)
        yield Sighting(
            node=training.held_back,
            message="the validation rows are the last ones, and the labels are sorted by class",
            label="taken before any shuffling",
            related=((first, "one class after the other"),),
            severity="error",
            conclusion="the network is judged by a class that it has hardly met, or not at all",
            help="shuffle inputs and labels together first, or use train_test_split with stratify",
        )


def _is_sorted(y: Data, x: Data | None) -> bool:
    if y.shuffled is not None or y.drawn is not None or (x is not None and (x.shuffled or x.drawn) is not None):
        return False
    whole = all(not added(y.rows, source(key)) for key, _ in y.rows)
    return whole and (y.in_blocks is not None or (bool(y.trail) and y.trail[0].text in SORTED))
