"""Less dropout, or some where there is none."""

from __future__ import annotations

from dataclasses import dataclass, replace

from unstuck.experiments.experiment import Experiment, layer_configs
from unstuck.experiments.intervention import Intervention
from unstuck.experiments.source_edits import fix, insert_before
from unstuck.experiments.structure import insert_before_heads, keras_layer
from unstuck.finding import Fix
from unstuck.measure.setup import Setup

DROPPING = frozenset(
    {"Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "AlphaDropout", "GaussianDropout"}
)

NOTHING = 1e-9
"""A rate that drops nothing in float32 and keeps the layer's seed generator, so that the trial needs no new program."""


@dataclass(frozen=True)
class SetDropout(Intervention):
    """Give every dropout layer this rate; 0 turns dropout off."""

    rate: float

    @property
    def label(self) -> str:
        return f"dropout {self.rate:g}" if self.rate else "no dropout"

    def apply(self, experiment: Experiment) -> Experiment:
        changed, model = experiment.with_model()
        for layer in layer_configs(model):
            if layer["class_name"] in DROPPING:
                layer["config"]["rate"] = max(self.rate, NOTHING)
        return replace(changed, initial=experiment.initial)

    def edit(self, setup: Setup) -> Fix | None:
        dropping = [layer for layer in setup.layers if layer.kind in DROPPING]
        edits = [setup.sources.set_argument(layer.site, "rate", f"{self.rate:g}", 0) for layer in dropping]
        return fix(f"set the dropout rate to {self.rate:g}", edits) if edits else None


@dataclass(frozen=True)
class AddDropout(Intervention):
    """Add a dropout layer before each Dense output."""

    rate: float

    @property
    def label(self) -> str:
        return f"dropout {self.rate:g} before the output"

    def apply(self, experiment: Experiment) -> Experiment:
        changed, model = experiment.with_model()
        insert_before_heads(model, [keras_layer("Dropout", rate=self.rate)])
        return replace(changed, initial=None)

    def edit(self, setup: Setup) -> Fix | None:
        return fix(
            f"add dropout {self.rate:g} before the output",
            [insert_before(setup, setup.head.layer, (f"Dropout({self.rate:g})",))],
        )
