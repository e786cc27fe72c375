"""Numbers that models were judged by: where they are kept, and where the best of them is looked for."""

from __future__ import annotations

from collections.abc import Iterable

from unstuck.source.values import Data, Entries, Items, Score, Value

PICKS = frozenset(
    {
        *("max", "min", "argmax", "argmin", "nanargmax", "nanargmin", "idxmax", "idxmin", "sorted", "sort"),
        *("sort_values", "argsort", "nlargest", "nsmallest"),
    }
)
"""Functions and methods that find the best of several."""


def score_of(values: Iterable[Value]) -> Score | None:
    """The score that is computed from predictions, or from other scores."""
    tests: frozenset[object] = frozenset()
    for value in values:
        if isinstance(value, (Data, Score)):
            tests |= value.tests
    return Score(tests) if tests else None


def held_in(value: Value | None) -> Score | None:
    """The scores in a value or in a collection of them."""
    if isinstance(value, Score):
        return value
    inner = value.items if isinstance(value, Items) else value.entries.values() if isinstance(value, Entries) else ()
    return score_of(found for item in inner if (found := held_in(item)) is not None)


def pick(values: Iterable[Value | None]) -> None:
    """The best of these is looked for: what they were scored on chooses."""
    for value in values:
        score = held_in(value)
        for test in score.tests if score is not None else ():
            test.picked = True
