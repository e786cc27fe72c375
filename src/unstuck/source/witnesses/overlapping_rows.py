"""Slices that overlap, and two subsets of a folder drawn with different seeds."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from unstuck.source import rows as row_sets
from unstuck.source.leaks import Pair, pairs
from unstuck.source.sighting import Sighting, argument_node
from unstuck.source.story import Story
from unstuck.source.values import Stop, constant

CODE = "LEK201"
_READERS = ("image_dataset_from_directory", "text_dataset_from_directory")


def sightings(story: Story) -> Iterator[Sighting]:
    yield from _of_slices(story)
    for pair in pairs(story):
        x, held = pair.training.x, pair.held
        one = x.generator if x is not None else None
        other = held.generator if held is not None else None
        if x is None or held is None or one is None or other is None or one is other:
            continue
        if one.name not in _READERS or one.name != other.name or _folder(x.rows) != _folder(held.rows):
            continue
        seeds = [constant(reader.argument("seed")) for reader in (one, other)]
        kept = any(constant(reader.argument("shuffle"), True) is False for reader in (one, other))
        if kept or not all(isinstance(seed, int) for seed in seeds) or seeds[0] == seeds[1]:
            continue
        yield Sighting(
            node=argument_node(other, "seed"),
            message="the two subsets of the folder are drawn with different seeds",
            label=f"not {seeds[0]}",
            related=((argument_node(one, "seed"), "the other subset is drawn with this one"),),
            flow=(*x.trail, *held.trail, Stop(pair.training.name, pair.training.node)),
            conclusion="the files are shuffled by the seed and then cut, so with two seeds the cuts overlap",
            help="give both subsets the same seed",
        )


def _of_slices(story: Story) -> Iterator[Sighting]:
    scored = {id(test.node) for test in story.testings if test.scored}
    for pair in pairs(story):
        x, held = pair.training.x, pair.held
        # windows that look back over the cut are rightly fed the end of the training series
        if x is None or held is None or x.lags or held.lags or not row_sets.cuts_overlap(x.rows, held.rows):
            continue
        if pair.final and id(pair.node) not in scored:
            continue
        yield Sighting(
            node=_slice(pair) or pair.node,
            message="the slice that judges the model and the slice it learns from overlap",
            label="begins before the other one ends",
            related=((pair.training.node, "learns from the other slice"),),
            flow=(*x.trail, *held.trail, Stop(pair.training.name, pair.training.node), Stop(pair.name, pair.node)),
            conclusion="the rows in both are scored from memory",
            help="begin the second slice where the first one ends",
        )


def _slice(pair: Pair) -> ast.AST | None:
    stops = pair.held.trail if pair.held is not None else ()
    return next((stop.node for stop in reversed(stops) if isinstance(stop.node, ast.Slice)), None)


def _folder(rows: object) -> object:
    return {key for key, _ in rows} if isinstance(rows, frozenset) else None
