"""Every class weighing the same."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from unstuck.experiments.experiment import Experiment
from unstuck.experiments.intervention import Intervention
from unstuck.finding import Edit, Fix
from unstuck.measure.setup import Setup
from unstuck.measure.task import to_classes


@dataclass(frozen=True)
class BalanceClasses(Intervention):
    """Weight each row by the inverse of its class's share, so that all classes add the same to the loss.

    Attributes:
        anew: in place of the weights that are given; else on top of them.
    """

    classes: int
    anew: bool = False

    @property
    def label(self) -> str:
        return "classes weighted alike"

    def apply(self, experiment: Experiment) -> Experiment:
        labels = to_classes(experiment.y)
        values, where, counts = np.unique(labels, return_inverse=True, return_counts=True)
        weight = (len(labels) / len(values) / counts)[where].astype(np.float32)
        if experiment.y.ndim > 1:  # a label a row, step or pixel
            weight = weight.reshape(experiment.y.shape[:-1])
        return replace(
            experiment, weight=weight if experiment.weight is None or self.anew else weight * experiment.weight
        )

    def edit(self, setup: Setup) -> Fix | None:
        sources, site = setup.sources, setup.sites["fit"]
        name = sources.text(sources.argument(site, "y", 1))
        one_hot = setup.loss.name.startswith("categorical")
        edit: Edit | None = None
        if name.isidentifier() and not one_hot:
            text = f"{{c: 1 / ({self.classes} * ({name} == c).mean()) for c in range({self.classes})}}"
            edit = sources.set_argument(site, "class_weight", text)
        return Fix(
            title="give each class a weight of 1 / its share",
            applicability="suggested" if edit else "sketch",
            edits=(edit,) if edit else (),
            alternative="draw more rows of the smaller classes; judge by recall and the area under the"
            " precision-recall curve",
        )
