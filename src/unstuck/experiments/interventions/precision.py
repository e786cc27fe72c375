"""Computation in full precision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from unstuck.experiments.experiment import Experiment, compile_config
from unstuck.experiments.intervention import Intervention
from unstuck.experiments.source_edits import fix
from unstuck.finding import Fix
from unstuck.measure.setup import Setup

FULL = "float32"


@dataclass(frozen=True)
class FullPrecision(Intervention):
    """Give every layer weights and arithmetic in float32; loss scaling is then of no use and goes too."""

    @property
    def label(self) -> str:
        return "float32 everywhere"

    def apply(self, experiment: Experiment) -> Experiment:
        changed, model = experiment.with_model()
        _widen(model)
        changed, settings = changed.with_compile()
        chosen = compile_config(settings)
        optimizer = chosen.get("optimizer")
        if isinstance(optimizer, dict) and isinstance(optimizer["config"].get("inner_optimizer"), dict):
            chosen["optimizer"] = optimizer["config"]["inner_optimizer"]
        return changed

    def edit(self, setup: Setup) -> Fix | None:
        return fix("compute in float32, or with the policy mixed_bfloat16", [None])


def _widen(value: Any) -> None:
    """Replace every dtype policy inside a serialized model by float32, in place."""
    if isinstance(value, dict):
        if "dtype" in value and "name" in value:
            value["dtype"] = FULL
        for inner in value.values():
            _widen(inner)
    elif isinstance(value, list):
        for inner in value:
            _widen(inner)
