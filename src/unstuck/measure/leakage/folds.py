"""Fits of one script that go on with the same weights, and the rows the earlier ones trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from unstuck.measure.case import Case, Missing
from unstuck.measure.leakage.origin import stations
from unstuck.measure.leakage.rows import Rows


@dataclass(frozen=True)
class Folds:
    """What earlier fits of the same weights have seen.

    Attributes:
        before: numbers of the earlier fits whose final weights this one began with, or that led to them.
        seen: held-out rows of this fit that those fits trained on; held: all held-out rows.
        new: training rows of this fit that the fit before did not train on, so that it is another fold.
    """

    before: tuple[int, ...]
    seen: int
    held: int
    new: int

    @classmethod
    def of(cls, case: Case) -> Self:
        if len(case.run.fits) < 2:
            return cls((), 0, 0, 0)
        rows = case.get(Rows)
        if not len(rows.held):
            raise Missing("held-out rows", "hand validation_data to fit, or evaluate on other rows afterwards")
        before: list[int] = []
        start = _weights(case, case.fit.index, case.fit.steps[:1])
        for earlier in reversed(case.run.fits[: case.fit.index]):
            end = _weights(case, earlier.index, earlier.steps[-1:])
            if start is None or end is None or not _same(start, end):
                continue
            before.append(earlier.index)
            start = _weights(case, earlier.index, earlier.steps[:1])
        if not before:
            return cls((), 0, len(rows.held), 0)
        trained = [_trained(case, i) for i in before]
        known = np.concatenate(trained)
        seen, train = max(((_seen(*rows, known), rows[0]) for rows in stations(case)), key=lambda entry: entry[0])
        new = int((~np.isin(train, trained[0])).sum())
        return cls(tuple(sorted(before)), seen, len(rows.held), new)


def _trained(case: Case, fit: int) -> np.ndarray:
    """Fingerprints of all rows that a fit trained on, also of what they were before they were scaled."""
    return np.concatenate([train for train, _ in stations(Case(case.run, case.run.fits[fit]))])


def _seen(train: np.ndarray, held: np.ndarray, before: np.ndarray) -> int:
    return int((np.isin(held, before) & ~np.isin(held, train)).sum())


def _weights(case: Case, fit: int, steps: tuple[int, ...]) -> dict[str, np.ndarray] | None:
    return case.run.arrays(f"fit-{fit}-weights-{steps[0]:09d}") or None if steps else None


def _same(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[k], other[k], equal_nan=True) for k in one)
