"""Shuffles in the recorded source: which arrays are put in a random order of their own."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Self

from unstuck.finding import Location
from unstuck.measure.case import Case
from unstuck.measure.code.source import Sources, called

ORDERING = frozenset({"shuffle", "permutation", "permuted", "sample", "flow", "flow_from_directory"})
"""Calls that put rows in a random order; `flow` and `sample` on what they are called on or given first."""
SEEDING = frozenset({"seed", "set_state", "set_random_seed", "manual_seed", "setstate"})
"""Calls that may give two shuffles the same order again."""
SEEDS = frozenset({"seed", "random_state"})


@dataclass(frozen=True)
class Shuffle:
    """One call that orders `array` at random; `seed` as it is written, "" for none."""

    array: str
    seed: str
    location: Location


@dataclass(frozen=True)
class Shuffles:
    """Pairs of calls that give two arrays random orders of their own, with nothing that makes the orders agree."""

    pairs: tuple[tuple[Shuffle, Shuffle], ...]

    @classmethod
    def of(cls, case: Case) -> Self:
        sources = case.get(Sources)
        file = case.file
        found: list[Shuffle] = []
        pairs = []
        for call in sources.calls(file):
            if called(call) in SEEDING:
                found = []
                continue
            shuffle = _shuffle(call, sources, file)
            if shuffle is None:
                continue
            pairs += [(other, shuffle) for other in found if _apart(other, shuffle)]
            found.append(shuffle)
        return cls(tuple(pairs))


def _apart(one: Shuffle, other: Shuffle) -> bool:
    return one.array != other.array and (not one.seed or one.seed != other.seed)


def _shuffle(call: ast.Call, sources: Sources, file: str) -> Shuffle | None:
    name = called(call)
    if name not in ORDERING or any(
        isinstance(k.value, ast.Constant) and k.value.value is False and k.arg == "shuffle" for k in call.keywords
    ):
        return None
    # An order of row numbers, permutation(len(x)), or several arrays at once, is no order of one array's own.
    arrays = [a.id for a in call.args if isinstance(a, ast.Name)]
    if name in ("sample", "flow_from_directory") or (name == "shuffle" and not arrays):
        owner = call.func.value if isinstance(call.func, ast.Attribute) else None
        arrays = [owner.id] if isinstance(owner, ast.Name) else []
    elif len(arrays) != 1 or not isinstance(call.args[0], ast.Name):
        return None
    if len(arrays) != 1:
        return None
    seed = next((ast.unparse(k.value) for k in call.keywords if k.arg in SEEDS), "")
    return Shuffle(arrays[0], seed, sources.span(file, call))
