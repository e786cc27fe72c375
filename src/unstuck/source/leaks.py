"""Pairs of training and held-out rows, and what was computed from both."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from unstuck.source import rows as row_sets
from unstuck.source.rows import Rows
from unstuck.source.story import Split, Story, Training
from unstuck.source.values import Data, Fitting, Stop


@dataclass(frozen=True)
class Pair:
    """Rows that a model learnt from, and rows that it is judged by.

    Attributes:
        held: None if they are split off within the call (`validation_split`, cross-validation).
        node, name: the call that judges.
        final: they are test rows, not validation rows.
    """

    training: Training
    held: Data | None
    node: ast.AST
    name: str
    final: bool

    @property
    def overlaps(self) -> bool:
        """Whether the model learnt from all rows that it is judged by."""
        x = self.training.x
        return x is not None and self.held is not None and row_sets.covers(x.rows, self.held.rows)


def pairs(story: Story) -> Iterator[Pair]:
    for training in story.trainings:
        if training.inside or training.held_back is not None:
            name = "validation_split" if training.held_back is not None else training.name
            yield Pair(training, None, training.held_back or training.node, name, final=False)
        if training.validation is not None:
            yield Pair(training, training.validation, training.node, "validation_data", final=False)
        for test in story.tests_of(training):
            yield Pair(training, test.x, test.node, test.name, final=True)


@dataclass(frozen=True)
class Leak:
    """Something that was computed from training and held-out rows, and the pairs it spoils."""

    fitting: Fitting
    pairs: tuple[Pair, ...]
    split: Split | None

    @property
    def flow(self) -> tuple[Stop, ...]:
        """From the first known station to every call that trains or judges."""
        stops = list(self.fitting.trail)
        if self.split is not None:
            stops.append(Stop(self.split.name, self.split.node))
        for pair in self.pairs:
            stops.append(Stop(pair.training.name, pair.training.node))
            stops.append(Stop(pair.name, pair.node))
        return tuple({id(stop.node): stop for stop in stops}.values())

    def related(self, label: str) -> tuple[tuple[ast.AST, str], ...]:
        """The split, or the place where rows are held out."""
        if self.split is not None:
            return ((self.split.node, label),)
        return ((self.pairs[0].node, "held out only here"),) if self.pairs else ()


def leaks(story: Story, kinds: Sequence[str], *, of: str = "taints") -> list[Leak]:
    """Fittings of some kinds that saw rows which later judge the model they helped to train.

    A validation set counts only if no honest test of the same model follows: the test then tells the truth.
    """
    found: dict[Fitting, list[Pair]] = {}
    known = list(pairs(story))
    honest: dict[int, list[Pair]] = {}
    for pair in known:
        if pair.final and not pair.overlaps:
            honest.setdefault(id(pair.training), []).append(pair)
    for pair in known:
        for fitting in _fittings(pair, of):
            if fitting.kind in kinds and _spoils(fitting, pair):
                others = honest.get(id(pair.training), ())
                if not pair.final and any(not _spoils(fitting, other) for other in others):
                    continue
                if not pair.final and _tested_elsewhere(story, fitting, pair):
                    continue
                found.setdefault(fitting, []).append(pair)
    result = [Leak(fitting, tuple(spoilt), _split_after(story, fitting, spoilt)) for fitting, spoilt in found.items()]
    return _once(result + _without_models(story, kinds, of, set(found)))


def _fittings(pair: Pair, of: str) -> set[Fitting]:
    tables = [table for table in (pair.training.x, pair.held) if table is not None]
    if of == "copies":  # only what is on both sides has siblings there: rows left out of a bootstrap have none
        return set(frozenset.intersection(*(table.copies for table in tables))) if tables else set()
    return {fitting for table in tables for fitting, _ in table.taints}


def _spoils(fitting: Fitting, pair: Pair) -> bool:
    x = pair.training.x
    if x is None or pair.overlaps:
        return False
    held = pair.held.rows if pair.held is not None else x.rows
    if fitting.kind == "resampling":  # some copied rows are enough
        return row_sets.share(fitting.rows, held) and row_sets.share(fitting.rows, x.rows)
    return row_sets.covers(fitting.rows, held) and row_sets.share(fitting.rows, x.rows)


def _tested_elsewhere(story: Story, fitting: Fitting, pair: Pair) -> bool:
    """Cross-validation on rows from which test rows had been set apart before the fitting."""
    if pair.held is not None:
        return False
    return any(
        any(row_sets.covers(part.rows, fitting.rows) for part in split.parts)
        and not any(row_sets.covers(fitting.rows, part.rows) for part in split.parts if part.rows != fitting.rows)
        for split in story.splits
    )


def _split_after(story: Story, fitting: Fitting, spoilt: Sequence[Pair]) -> Split | None:
    """The recorded split that held the rows out, after the fitting."""
    for split in story.splits:
        if any(pair.held is not None and _from(split, pair.held.rows) for pair in spoilt) and any(
            row_sets.covers(fitting.rows, part.rows) for part in split.parts
        ):
            return split
    return None


def _from(split: Split, rows: Rows) -> bool:
    return any(row_sets.covers(part.rows, rows) for part in split.parts)


def _without_models(story: Story, kinds: Sequence[str], of: str, known: set[Fitting]) -> list[Leak]:
    """A fitting before a split whose parts go into no model of this file: the model is elsewhere."""
    found = []
    for split in story.splits:
        if any(t.x is not None and any(row_sets.share(p.rows, t.x.rows) for p in split.parts) for t in story.trainings):
            continue
        for fitting in {f for part in split.parts[:2] for f, _ in part.taints} if of == "taints" else set():
            if fitting.kind in kinds and fitting not in known and row_sets.covers(fitting.rows, split.parts[0].rows):
                found.append(Leak(fitting, (), split))
                known.add(fitting)
    return found


def _once(found: list[Leak]) -> list[Leak]:
    """One leak a call, however often a loop or a function came by."""
    by_node: dict[int, Leak] = {}
    for leak in found:
        before = by_node.get(id(leak.fitting.node))
        merged = leak if before is None else Leak(before.fitting, before.pairs + leak.pairs, before.split or leak.split)
        by_node[id(leak.fitting.node)] = merged
    return sorted(by_node.values(), key=lambda leak: getattr(leak.fitting.node, "lineno", 0))
