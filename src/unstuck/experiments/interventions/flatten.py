"""One row of features a row."""

from __future__ import annotations

from dataclasses import dataclass, replace

from unstuck.experiments.experiment import Experiment
from unstuck.experiments.intervention import Intervention
from unstuck.experiments.source_edits import fix, insert_before
from unstuck.experiments.structure import insert_before as insert_layer
from unstuck.experiments.structure import keras_layer
from unstuck.finding import Fix
from unstuck.measure.setup import Setup


@dataclass(frozen=True)
class FlattenBefore(Intervention):
    """Put a Flatten before a layer.

    Attributes:
        name: of the layer.
    """

    name: str

    @property
    def label(self) -> str:
        return f"Flatten before '{self.name}'"

    def apply(self, experiment: Experiment) -> Experiment:
        changed, model = experiment.with_model()
        insert_layer(model, self.name, keras_layer("Flatten"))
        return replace(changed, initial=None)

    def edit(self, setup: Setup) -> Fix | None:
        layer = setup.layer(self.name)
        edit = insert_before(setup, layer, ("Flatten()",)) if layer else None
        return fix("flatten each row before the dense layers", [edit])
