"""Where the rows stood before the split: their positions in the table they came from, and the columns beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from unstuck.measure.case import Case, Missing
from unstuck.measure.leakage.provenance import Provenance
from unstuck.measure.leakage.rows import Rows
from unstuck.measure.leakage.trace import match

COVERED = 0.95
"""Share of the training and of the held-out rows that a table must hold to be the one they came from."""


@dataclass(frozen=True)
class Beside:
    """A column of the table's length. `kind`: `time` (dates), `id` (texts) or `number`.

    Attributes:
        codes: for each row of the table the number of its value among the distinct ones in ascending order.
    """

    name: str
    kind: str
    codes: np.ndarray = field(repr=False, compare=False)

    @property
    def distinct(self) -> int:
        return int(self.codes.max(initial=-1)) + 1


@dataclass(frozen=True)
class Origin:
    """The table before the split.

    Attributes:
        table: its name in the script, or "" for one that a recorded call was given.
        size: its rows. train, held: positions in it of the rows of `Data.x` and `Data.held_x`, -1 where unknown.
        all_train, all_held: the same for all rows, not only those of the recorded sample.
        columns: what stands beside it.
    """

    table: str
    size: int
    train: np.ndarray = field(repr=False, compare=False)
    held: np.ndarray = field(repr=False, compare=False)
    all_train: np.ndarray = field(repr=False, compare=False)
    all_held: np.ndarray = field(repr=False, compare=False)
    columns: tuple[Beside, ...] = ()

    @classmethod
    def of(cls, case: Case) -> Self:
        rows = case.get(Rows)
        if not len(rows.held):
            raise Missing("held-out rows", "hand validation_data to fit, or evaluate on other rows afterwards")
        about, arrays = _surroundings(case)
        columns = tuple(
            Beside(entry["name"], entry["kind"], arrays[f"column{i}"])
            for i, entry in enumerate(about.get("columns", ()))
            if f"column{i}" in arrays
        )
        for train, held in stations(case):
            for name, table in _tables(case, about, arrays):
                found = match(np.concatenate([train, held]), table)
                at, held_at = found[: len(train)], found[len(train) :]
                if min((at >= 0).mean(), (held_at >= 0).mean()) < COVERED:
                    continue
                own = tuple(column for column in columns if len(column.codes) == len(table))
                sampled = at[rows.train_sample], held_at[rows.held_sample]
                return cls(name, len(table), *sampled, at, held_at, own)
        raise Missing("the table that the rows were split from", "keep it as a variable of the script that calls fit")

    def beside(self, codes: np.ndarray) -> np.ndarray:
        """Values of a column for the rows of `Data.x`, then of `Data.held_x`; unknown rows get numbers of their own."""
        places = np.concatenate([self.train, self.held])
        own = int(codes.max(initial=0)) + 1 + np.arange(len(places))
        return np.where(places >= 0, codes[places], own)


def stations(case: Case) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Fingerprints of the training and of the held-out rows: as they reached fit, and before the recorded transformers
    changed them.
    """
    rows = case.get(Rows)
    yield rows.train, rows.held
    provenance = case.find(Provenance)
    if provenance is not None and len(provenance.raw):
        yield provenance.raw[: len(rows.train)], provenance.raw[len(rows.train) :]


def _surroundings(case: Case) -> tuple[Mapping[str, Any], Mapping[str, np.ndarray]]:
    for event in case.run.events:
        if event.kind == "surroundings" and event.body.get("fit") == case.fit.index:
            return event.body, case.run.arrays(f"fit-{case.fit.index}-surroundings")
    return {}, {}


def _tables(case: Case, about: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Iterator[tuple[str, np.ndarray]]:
    for i, name in enumerate(about.get("tables", ())):
        yield name, arrays[f"table{i}"]
    for event in case.run.events:
        if event.kind == "flow" and event.body.get("operation") == "split":
            table = case.run.arrays(f"flow-{event.sequence}").get("in-hash")
            if table is not None:
                yield "", table
