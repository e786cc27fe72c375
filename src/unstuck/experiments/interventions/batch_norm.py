"""Moving averages of BatchNormalization: how fast they follow, and whether they move at all."""

from __future__ import annotations

from dataclasses import dataclass

from unstuck.experiments.experiment import Experiment, layer_configs
from unstuck.experiments.intervention import Intervention
from unstuck.experiments.source_edits import fix
from unstuck.finding import Fix
from unstuck.measure.setup import Setup

KIND = "BatchNormalization"


@dataclass(frozen=True)
class SetBatchNormMomentum(Intervention):
    """Let the moving averages follow the batches faster; nothing else of training changes."""

    momentum: float

    @property
    def label(self) -> str:
        return f"BatchNormalization momentum {self.momentum:g}"

    def apply(self, experiment: Experiment) -> Experiment:
        changed, model = experiment.with_model()
        for layer in layer_configs(model):
            if layer["class_name"] == KIND:
                layer["config"]["momentum"] = self.momentum
        return changed

    def edit(self, setup: Setup) -> Fix | None:
        layers = [layer for layer in setup.layers if layer.kind == KIND]
        edits = [setup.sources.set_argument(layer.site, "momentum", f"{self.momentum:g}", 1) for layer in layers]
        return fix(
            f"use momentum={self.momentum:g} in BatchNormalization",
            edits,
            alternative="train for more steps: the moving averages need about 5 / (1 - momentum) of them",
        )


@dataclass(frozen=True)
class FreezeBatchNorm(Intervention):
    """Freeze every BatchNormalization layer: it then normalises with its recorded averages, in training too."""

    @property
    def label(self) -> str:
        return "BatchNormalization frozen"

    def apply(self, experiment: Experiment) -> Experiment:
        changed, model = experiment.with_model()
        for layer in layer_configs(model):
            if layer["class_name"] == KIND:
                layer["config"]["trainable"] = False
        return changed

    def edit(self, setup: Setup) -> Fix | None:
        return Fix(
            title="freeze the whole backbone, BatchNormalization included",
            applicability="sketch",
            alternative="call it with training=False: base(inputs, training=False)",
        )
