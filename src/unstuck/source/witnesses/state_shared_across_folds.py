"""A network that goes on learning from fold to fold."""

from __future__ import annotations

from collections.abc import Iterator

from unstuck.source.sighting import Sighting
from unstuck.source.story import Story
from unstuck.source.values import Network, Stop

CODE = "LEK304"


def sightings(story: Story) -> Iterator[Sighting]:
    for training in story.trainings:
        model = training.model
        if not isinstance(model, Network) or not training.folds:
            continue
        fold = training.folds[-1]
        if fold in model.loops or fold in model.restored:
            continue
        built = model.node
        yield Sighting(
            node=training.node,
            message="the folds share one model: each goes on where the last one ended",
            label="trained on this fold's test rows in earlier folds",
            related=((built, "built once, before the folds"),) if built is not None else (),
            flow=(*((Stop("built", built),) if built is not None else ()), Stop(training.name, training.node)),
            conclusion="from the second fold on, the model was trained before on the rows that now judge it",
            help="build and compile the model inside the loop, or set its first weights back for each fold",
        )
