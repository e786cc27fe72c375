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


def cuts_overlap(one: Rows, other: Rows) -> bool:
    """Whether the two are slices of one table whose stated bounds leave rows in both: `[:800]` and `[700:]`."""
    pairs = [(dict(s), dict(t)) for k, s in one for key, t in other if k == key]
    for taken, others in pairs:
        split = [name for name in taken.keys() & others.keys() if taken[name] != others[name]]
        if len(split) == 1 and isinstance(split[0], tuple) and split[0][0] == "slice":
            return _ranges_meet(_range(taken[split[0]]), _range(others[split[0]]))
    return False


def _range(side: Hashable) -> tuple[float, float] | None:
    """The bounds of a slice, where they are plain numbers."""
    texts = side if isinstance(side, tuple) else ()
    if len(texts) != 2 or not all(str(text).lstrip("-").isdigit() or text == "" for text in texts):
        return None
    lower, upper = texts
    return float(lower or "-inf"), float(upper or "inf")


def _ranges_meet(one: tuple[float, float] | None, other: tuple[float, float] | None) -> bool:
    if one is None or other is None:
        return False
    stated = [bound for bound in (*one, *other) if abs(bound) != float("inf")]
    if min(stated) < 0 < max(stated):  # the one is counted from the end: that needs the length
        return False
    return one[0] < other[1] and other[0] < one[1]


def added(rows: Rows, origin: Rows) -> frozenset[Side]:
    """The sides that were taken since `origin`."""
    before = {side for _, sides in origin for side in sides}
    return frozenset(side for _, sides in rows for side in sides) - before
