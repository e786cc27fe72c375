"""Two labels as 0 and 1."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from unstuck.experiments.experiment import Experiment
from unstuck.experiments.intervention import Intervention
from unstuck.finding import Fix
from unstuck.measure.setup import Setup


@dataclass(frozen=True)
class RecodeLabels(Intervention):
    """Map the labels `low` and `high` to 0 and 1, and what lies between to between them."""

    low: float
    high: float

    @property
    def label(self) -> str:
        return f"labels {self.low:g} and {self.high:g} as 0 and 1"

    def apply(self, experiment: Experiment) -> Experiment:
        scaled = (experiment.y.astype(np.float32) - self.low) / (self.high - self.low)
        return replace(experiment, y=scaled.astype(np.float32))

    def edit(self, setup: Setup) -> Fix | None:
        place = setup.sources.argument(setup.sites["fit"], "y", 1)
        name = setup.sources.text(place)
        change = f"{name} / {self.high:g}" if not self.low else f'({name} == {self.high:g}).astype("float32")'
        edit = setup.sources.replace(place, change) if name.isidentifier() else None
        return Fix(
            title="encode the labels as 0 and 1, in training and validation alike",
            applicability="sketch",
            edits=(edit,) if edit else (),
        )
