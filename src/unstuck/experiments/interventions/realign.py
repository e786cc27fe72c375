"""The training labels in another order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from unstuck.experiments.experiment import Experiment
from unstuck.experiments.intervention import Intervention
from unstuck.finding import Fix
from unstuck.measure.labels.alignment import realigned
from unstuck.measure.setup import Setup


@dataclass(frozen=True)
class RealignLabels(Intervention):
    """Put the training labels in the order in which they fit the inputs.

    Attributes:
        kind: `shift`, `reverse` or `sort` (see `measure/labels/alignment.py`).
        amount: rows to shift by, or the column that the inputs are sorted by.
    """

    kind: str
    amount: int = 0

    @property
    def label(self) -> str:
        if self.kind == "shift":
            count = abs(self.amount)
            return f"labels moved {count} row{'s' if count > 1 else ''} {'down' if self.amount > 0 else 'up'}"
        return "labels in reverse order" if self.kind == "reverse" else f"labels in the order of column {self.amount}"

    def apply(self, experiment: Experiment) -> Experiment:
        column = experiment.x[0].reshape(len(experiment.y), -1)[:, self.amount] if self.kind == "sort" else None
        order = realigned(self.kind, self.amount, len(experiment.y), column)
        return replace(experiment, y=np.ascontiguousarray(experiment.y[order]))

    def edit(self, setup: Setup) -> Fix | None:
        return Fix(title=f"pair each row with its own label: {self.label}", applicability="sketch")

    def describe(self) -> dict[str, Any]:
        return {"type": "realign-labels", "kind": self.kind, "amount": self.amount}
