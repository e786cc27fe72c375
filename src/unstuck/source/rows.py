"""Which rows of which source: enough to say that two tables hold the same rows, or that they cannot.

An atom is a source with the splits it went through, each with the side that was taken. Rows are a set of atoms: one for
a table that was loaded and cut, several after a concatenation.
"""

from __future__ import annotations

from collections.abc import Hashable
from functools import lru_cache

Side = tuple[Hashable, Hashable]
"""A split and the side of it."""
Atom = tuple[Hashable, frozenset[Side]]
Rows = frozenset[Atom]
_KEPT = 4096
"""Rows that are kept, so that equal ones are one object: the keys of splits nest and would be slow to compare."""


@lru_cache(maxsize=_KEPT)
def source(key: Hashable) -> Rows:
    """All rows of something loaded or handed in."""
    return frozenset({(key, frozenset())})


@lru_cache(maxsize=_KEPT)
def part(rows: Rows, split: Hashable, side: Hashable) -> Rows:
    """One side of a split of rows."""
    return frozenset((key, sides | {(split, side)}) for key, sides in rows)


@lru_cache(maxsize=_KEPT)
def child(rows: Rows, key: Hashable) -> Rows:
    """Rows of something that was stored in something else (an array in an archive), unrelated to its siblings."""
    return frozenset(((origin, key), sides) for origin, sides in rows)


def covers(whole: Rows, some: Rows) -> bool:
    """Whether every row of `some` is certainly in `whole`."""
    return bool(some) and all(any(k == key and s <= sides for k, s in whole) for key, sides in some)


def share(one: Rows, other: Rows) -> bool:
    """Whether the two certainly have rows in common: a part of one is contained in the other."""
    return any(k == key and (s <= sides or sides <= s) for k, s in one for key, sides in other)


def apart(one: Rows, other: Rows) -> bool:
    """Whether the two are kept apart: other sources, or other sides of a split."""
    return not any(k == key and not _divided(s, sides) for k, s in one for key, sides in other)


def _divided(one: frozenset[Side], other: frozenset[Side]) -> bool:
    taken = dict(one)
    return any(split in taken and taken[split] != side for split, side in other)


def added(rows: Rows, origin: Rows) -> frozenset[Side]:
    """The sides that were taken since `origin`."""
    before = {side for _, sides in origin for side in sides}
    return frozenset(side for _, sides in rows for side in sides) - before
