"""A larger loss."""

from __future__ import annotations

from dataclasses import dataclass

from unstuck.experiments.experiment import Experiment, compile_config
from unstuck.experiments.intervention import Intervention
from unstuck.experiments.source_edits import fix
from unstuck.finding import Fix
from unstuck.measure.setup import Setup


@dataclass(frozen=True)
class SumOverOutputs(Intervention):
    """Weight the loss by the number of targets a row: a sum over them, where Keras takes the mean."""

    columns: int

    @property
    def label(self) -> str:
        return f"loss summed over {self.columns} targets"

    def apply(self, experiment: Experiment) -> Experiment:
        changed, settings = experiment.with_compile()
        compile_config(settings)["loss_weights"] = [float(self.columns)]
        return changed

    def edit(self, setup: Setup) -> Fix | None:
        edit = setup.sources.set_argument(setup.sites["compile"], "loss_weights", f"[{self.columns}]", 2)
        return fix(
            f"sum the loss over the {self.columns} targets of a row",
            [edit],
            alternative="a weighted or focal loss, so that targets that are not 0 count more",
        )
