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
    for key, sides in one:
        for other_key, other_sides in other:
            if key != other_key:
                continue
            taken = dict(sides)
            common = [(taken[split], side, split) for split, side in other_sides if split in taken]
            differing = [(a, b) for a, b, _ in common if a != b]
            if len(differing) == 1 and common[0][2][0] == "slice" and _ranges_meet(*differing[0]):  # type: ignore[index]
                return True
    return False


def _ranges_meet(one: Hashable, other: Hashable) -> bool:
    bounds = [_number(text) for pair in (one, other) if isinstance(pair, tuple) for text in pair]
    if len(bounds) != 4 or any(bound is None for bound in bounds):
        return False
    lower, upper, other_lower, other_upper = bounds
    stated = [bound for bound in bounds if bound]
    if any(bound < 0 for bound in stated) and any(bound > 0 for bound in stated):  # the length is not known
        return False
    return (not upper or other_lower < upper) and (not other_upper or lower < other_upper)


def _number(text: object) -> int | None:
    """The bound of a slice: 0 where there is none, None where it is not a plain number."""
    digits = text.lstrip("-") if isinstance(text, str) else "?"
    return None if digits and not digits.isdigit() else int(text or 0)  # type: ignore[call-overload]


def added(rows: Rows, origin: Rows) -> frozenset[Side]:
    """The sides that were taken since `origin`."""
    before = {side for _, sides in origin for side in sides}
    return frozenset(side for _, sides in rows for side in sides) - before
