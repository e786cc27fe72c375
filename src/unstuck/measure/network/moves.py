"""How far every variable moved over a fit, from the recorded snapshots alone: also where nothing can be replayed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from unstuck.measure.case import Case, Missing
from unstuck.measure.network.normalisers import belongs


@dataclass(frozen=True)
class Move:
    """One variable: largest absolute change between the first and the last snapshot."""

    path: str
    trainable: bool
    change: float
    size: int

    def of(self, layer: str) -> bool:
        """Whether it is a variable of the layer (or nested model) of this name."""
        return belongs(self.path, layer)


@dataclass(frozen=True)
class Moves:
    """Every variable of the model that was trained. `steps` lie between the two snapshots."""

    variables: tuple[Move, ...]
    steps: int

    @classmethod
    def of(cls, case: Case) -> Self:
        described, steps = case.fit.body["model"]["variables"], case.fit.steps
        if len(steps) < 2 or not described:
            raise Missing("two snapshots of the weights")
        first, last = (case.run.weights(case.fit, s) for s in (steps[0], steps[-1]))
        if not len(first) == len(last) == len(described):
            raise Missing("snapshots of the same variables")
        moves = []
        for about, before, after in zip(described, first, last, strict=True):
            change = np.abs(after.astype(np.float64) - before.astype(np.float64)).max(initial=0.0)
            moves.append(Move(about["path"], about["trainable"], float(change), before.size))
        return cls(tuple(moves), steps[-1] - steps[0])

    @property
    def trained(self) -> tuple[Move, ...]:
        """The variables that training should move: trainable, and no state of a random generator."""
        return tuple(move for move in self.variables if move.trainable)

    @property
    def still(self) -> tuple[Move, ...]:
        """Trainable variables that did not change at all."""
        return tuple(move for move in self.trained if move.change == 0)
