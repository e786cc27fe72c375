"""Training on the images as they are."""

from __future__ import annotations

from dataclasses import dataclass, replace

from unstuck.experiments.experiment import Experiment, layer_configs
from unstuck.experiments.intervention import Intervention
from unstuck.finding import Fix
from unstuck.measure.setup import Setup

OTHERS = frozenset({"AutoContrast", "CutMix", "MixUp", "RandAugment", "AugMix", "GaussianNoise"})
"""Layers that change inputs in training only and whose names do not begin with Random."""


def augmenting(kind: str) -> bool:
    """Whether a Keras layer of this kind changes its inputs at random in training."""
    return kind.startswith("Random") or kind in OTHERS


@dataclass(frozen=True)
class WithoutAugmentation(Intervention):
    """Let the augmentation layers pass their inputs on as they are."""

    @property
    def label(self) -> str:
        return "no augmentation"

    def apply(self, experiment: Experiment) -> Experiment:
        changed, model = experiment.with_model()
        for layer in layer_configs(model):
            if augmenting(layer["class_name"]):
                layer.update(module="keras.layers", class_name="Identity", config={"name": layer["config"]["name"]})
        return replace(changed, initial=None)

    def edit(self, setup: Setup) -> Fix | None:
        return Fix(
            title="leave out the augmentation layers, or make them milder",
            applicability="sketch",
            alternative="look at a few augmented images: can you still tell the label?",
        )
