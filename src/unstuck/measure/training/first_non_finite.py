"""Where the first loss that was no number came from (see `record/probe_non_finite.py`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from unstuck.measure.case import Case, Missing


@dataclass(frozen=True)
class FirstNonFinite:
    """The batch that gave it, as it was.

    Attributes:
        step: of the optimiser, from 1.
        cells: name (`x0`, `y0`, `weight`), row of the batch, column of the row, for the first cells without a number.
        layer: the first one whose output on the batch is not finite with the last weights kept before, "" if none.
        rows: rows of the batch with such an output.
    """

    step: int
    cells: tuple[tuple[str, int, int], ...]
    layer: str
    rows: tuple[int, ...]

    @classmethod
    def of(cls, case: Case) -> Self:
        raw = case.fit.probe.get("non_finite")
        if not raw:
            raise Missing("the batch with the first loss that is no number")
        cells = tuple((str(name), int(row), int(column)) for name, row, column in raw["cells"])
        return cls(int(raw["step"]), cells, str(raw["layer"]), tuple(raw["rows"]))

    @property
    def text(self) -> str:
        """What was found, as a sentence without its subject; "" when nothing can be said."""
        if self.cells:
            name, row, column = self.cells[0]
            what = {"x": "column {} of the inputs", "y": "the target", "w": "the weight"}[name[0]].format(column)
            return f"it began with the batch of step {self.step}: row {row}, {what}"
        if not self.layer:
            return ""
        where = f", in row {self.rows[0]} of the batch of step {self.step}" if self.rows else ""
        return f"the first layer whose output is not finite is {self.layer}{where}"
