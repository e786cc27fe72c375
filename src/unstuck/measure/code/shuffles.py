"""Shuffles in the recorded source: which arrays are put in a random order of their own."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
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
SPLIT = "train_test_split"
"""Gives two parts of each array, in turn."""
ADDING = frozenset({"append", "extend", "insert"})


@dataclass(frozen=True)
class Shuffle:
    """One call that orders `array` at random; `seed` as it is written, "" for none."""

    array: str
    seed: str
    location: Location


@dataclass(frozen=True)
class Shuffles:
    """Calls that give arrays random orders of their own.

    Attributes:
        pairs: two calls each, with nothing that makes their orders agree.
        alone: calls that order the inputs or the labels of fit, while nothing orders the other of the two.
    """

    pairs: tuple[tuple[Shuffle, Shuffle], ...]
    alone: tuple[Shuffle, ...] = ()

    @classmethod
    def of(cls, case: Case) -> Self:
        sources = case.get(Sources)
        file = case.file
        found: list[Shuffle] = []
        every: list[Shuffle] = []
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
            every.append(shuffle)
        return cls(tuple(pairs), tuple(_alone(every, sources, case)))


def _alone(every: Sequence[Shuffle], sources: Sources, case: Case) -> Iterator[Shuffle]:
    fit = case.fit.body.get("site")
    given = [sources.text(sources.argument(fit, name, i)) for i, name in enumerate("xy")]
    if not all(map(str.isidentifier, given)):
        return
    behind = _behind(sources.tree(case.file))
    x, y = ({name, *behind(name)} for name in given)
    if not x & {shuffle.array for shuffle in every} or not y & {shuffle.array for shuffle in every}:
        yield from (shuffle for shuffle in every if shuffle.array in x ^ y)


def _behind(tree: ast.Module) -> Callable[[str], set[str]]:
    """A function that gives the names which a name is computed from, however far back."""
    made: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        for part, values in _made(node):
            for name in _names(part):
                made.setdefault(name, set()).update(*map(_names, values))

    def behind(name: str) -> set[str]:
        found, waiting = set[str](), [name]
        while waiting:
            new = made.get(waiting.pop(), set()) - found
            found |= new
            waiting += new
        return found

    return behind


def _made(node: ast.AST) -> list[tuple[ast.AST, list[ast.expr]]]:
    """What a statement makes, each part with what it is made from."""
    if isinstance(node, ast.Assign):
        return [pair for target in node.targets for pair in _assigned(target, node.value)]
    if isinstance(node, ast.AugAssign):
        return [(node.target, [node.value])]
    if isinstance(node, ast.For):
        return [(node.target, [node.iter])]
    if isinstance(node, ast.Call) and called(node) in ADDING and isinstance(node.func, ast.Attribute):
        return [(node.func.value, node.args)]
    return []


def _assigned(target: ast.expr, value: ast.expr) -> list[tuple[ast.AST, list[ast.expr]]]:
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Call) and called(value) == SPLIT:
        return [(part, value.args[i // 2 : i // 2 + 1]) for i, part in enumerate(target.elts)]
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
        return [(part, [made]) for part, made in zip(target.elts, value.elts, strict=True)]
    return [(target, [value])]


def _names(node: ast.AST) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


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
