"""Recurrent layers that begin each batch afresh."""

from __future__ import annotations

from dataclasses import dataclass

from unstuck.experiments.experiment import Experiment, layer_configs
from unstuck.experiments.intervention import Intervention
from unstuck.experiments.source_edits import fix
from unstuck.finding import Fix
from unstuck.measure.setup import Setup


@dataclass(frozen=True)
class ForgetState(Intervention):
    """Set `stateful=False` in every recurrent layer."""

    @property
    def label(self) -> str:
        return "stateful=False"

    def apply(self, experiment: Experiment) -> Experiment:
        changed, model = experiment.with_model()
        for layer in layer_configs(model):
            if layer["config"].get("stateful"):
                layer["config"]["stateful"] = False
        return changed

    def edit(self, setup: Setup) -> Fix | None:
        keeping = [layer for layer in setup.layers if layer.config.get("stateful")]
        edits = [setup.sources.set_argument(layer.site, "stateful", "False") for layer in keeping]
        return fix("begin each batch with a fresh state", edits, alternative="fit with shuffle=False and reset_state()")
