"""Inputs whose extreme values no longer set their scale."""

from __future__ import annotations

from dataclasses import dataclass, replace

from unstuck.experiments.experiment import Experiment
from unstuck.experiments.intervention import Intervention
from unstuck.finding import Fix
from unstuck.measure.quartiles import FENCE, cut, quartile_scale
from unstuck.measure.setup import Setup


@dataclass(frozen=True)
class CutOutliers(Intervention):
    """Scale each column of a table by the median and the interquartile range of the training rows; cut off the rest.

    Columns whose middle half is one value stay as they are.
    """

    @property
    def label(self) -> str:
        return "outliers cut off"

    def apply(self, experiment: Experiment) -> Experiment:
        x, held = [], []
        for array, held_array in zip(experiment.x, experiment.held_x, strict=True):
            if array.ndim == 2 and array.dtype.kind == "f":
                scale = quartile_scale(array)
                x.append(cut(array, *scale))
                held.append(cut(held_array, *scale))
            else:
                x.append(array)
                held.append(held_array)
        return replace(experiment, x=tuple(x), held_x=tuple(held))

    def edit(self, setup: Setup) -> Fix | None:
        return Fix(
            title="treat the extreme values before scaling: mark missing ones as missing, cut off or log the others",
            applicability="sketch",
            alternative=f"RobustScaler, fitted on the training rows, then np.clip to ±{FENCE:g}",
        )
