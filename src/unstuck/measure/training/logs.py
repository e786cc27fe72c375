"""What Keras printed at the end of each epoch, by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from unstuck.measure.case import Case, Missing

SHORT = {"acc": "accuracy"}


@dataclass(frozen=True)
class Logs:
    """Training values an epoch, (epochs,) each, by the names Keras gave them; those of validation are left out.

    A name that an epoch lacks is NaN there.
    """

    series: Mapping[str, np.ndarray]

    @classmethod
    def of(cls, case: Case) -> Self:
        epochs = [epoch["logs"] for epoch in case.fit.epochs]
        if not epochs:
            raise Missing("an epoch that ended")
        names = dict.fromkeys(name for logs in epochs for name in logs if not name.startswith("val_"))
        return cls({name: np.array([_number(logs.get(name)) for logs in epochs]) for name in names})

    def of_metric(self, name: str) -> np.ndarray | None:
        """The values of a metric as it was named in compile, None where Keras printed it under another name."""
        return self.series.get(name, self.series.get(SHORT.get(name, "")))


def _number(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) else float("nan")
