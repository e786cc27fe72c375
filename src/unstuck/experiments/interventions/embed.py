"""A learned vector for each item in place of its number."""

from __future__ import annotations

from dataclasses import dataclass, replace

from unstuck.experiments.experiment import Experiment
from unstuck.experiments.intervention import Intervention
from unstuck.experiments.source_edits import fix, insert_before
from unstuck.experiments.structure import insert_before as insert_layers
from unstuck.experiments.structure import keras_layer
from unstuck.finding import Fix
from unstuck.measure.setup import Setup

SIZE = 16
"""Of the vectors."""


@dataclass(frozen=True)
class Embed(Intervention):
    """Embed the numbers of items before the first layer that multiplies them by weights.

    Attributes:
        name: of that layer.
        vocabulary: largest number and one more.
        steps: numbers in a row.
        padded: whether 0 only fills up rows.
        sequence: whether the layer reads sequences (n, steps, 1); else it reads rows, and gets the mean of the vectors.
    """

    name: str
    vocabulary: int
    steps: int
    padded: bool
    sequence: bool

    @property
    def label(self) -> str:
        return f"Embedding before '{self.name}'"

    def apply(self, experiment: Experiment) -> Experiment:
        changed, model = experiment.with_model()
        embedding = keras_layer("Embedding", input_dim=self.vocabulary, output_dim=SIZE, mask_zero=self.padded)
        if self.sequence:
            new = [keras_layer("Reshape", target_shape=[self.steps]), embedding]
        else:
            new = [embedding, keras_layer("GlobalAveragePooling1D")]
        insert_layers(model, self.name, *new)
        return replace(changed, initial=None)

    def edit(self, setup: Setup) -> Fix | None:
        layer = setup.layer(self.name)
        masked = ", mask_zero=True" if self.padded else ""
        embedding = f"Embedding({self.vocabulary}, {SIZE}{masked})"
        calls = (f"Reshape(({self.steps},))", embedding) if self.sequence else (embedding, "GlobalAveragePooling1D()")
        return fix("learn a vector for each item", [insert_before(setup, layer, calls) if layer else None])
