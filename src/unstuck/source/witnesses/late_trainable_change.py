"""`trainable` changed after training began, without a new compile."""

from __future__ import annotations

from collections.abc import Iterator

from unstuck.source.sighting import Sighting
from unstuck.source.story import Story

CODE = "NET102"


def sightings(story: Story) -> Iterator[Sighting]:
    for training in story.trainings:
        if training.thawed is None or training.name != "fit":  # adversarial training changes it on purpose
            continue
        yield Sighting(
            node=training.thawed,
            message="trainable is changed after fit, and the model is trained on without a new compile",
            label="not noticed by the compiled model",
            related=((training.node, "trains with the old setting"),),
            conclusion="the training step was built with the variables of before: TensorFlow ignores the change, JAX"
            " and PyTorch may raise",
            help="call compile again after changing trainable",
        )
