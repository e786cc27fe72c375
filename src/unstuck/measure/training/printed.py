"""The accuracy that Keras printed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from unstuck.measure.case import Case

NAMES = ("val_accuracy", "val_acc")


@dataclass(frozen=True)
class PrintedAccuracy:
    """`held`: the validation accuracy after each epoch, (epochs,); empty when none was printed."""

    held: np.ndarray

    @classmethod
    def of(cls, case: Case) -> Self:
        logs = [epoch["logs"] for epoch in case.fit.epochs]
        name = next((n for n in NAMES if logs and n in logs[0]), None)
        return cls(np.array([float(log[name]) for log in logs if name in log]) if name else np.zeros(0))
