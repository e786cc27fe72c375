"""Training classes under the numbers that the held-out labels have for them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from unstuck.experiments.experiment import Experiment
from unstuck.experiments.intervention import Intervention
from unstuck.finding import Fix
from unstuck.measure.setup import Setup


@dataclass(frozen=True)
class RenumberClasses(Intervention):
    """Give the training labels other class numbers; held-out labels stay as they are.

    Attributes:
        numbers: the new number of each class.
    """

    numbers: tuple[int, ...]

    @property
    def label(self) -> str:
        return "training classes renumbered"

    def apply(self, experiment: Experiment) -> Experiment:
        y, numbers = experiment.y, np.array(self.numbers)
        if y.ndim > 1 and y.shape[-1] == len(numbers):
            changed = np.ascontiguousarray(y[..., np.argsort(numbers)])
        else:
            changed = numbers[np.clip(np.round(y).astype(int), 0, len(numbers) - 1)].astype(y.dtype)
        return replace(experiment, y=changed)

    def edit(self, setup: Setup) -> Fix | None:
        return Fix(
            title="number the classes of validation as those of training",
            applicability="sketch",
            alternative="pass the same class_names (classes) to both data sets",
        )
