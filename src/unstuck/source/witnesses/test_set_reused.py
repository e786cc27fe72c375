"""The test rows also chose the model."""

from __future__ import annotations

from collections.abc import Iterator

from unstuck.source.sighting import Sighting
from unstuck.source.story import Story, Training
from unstuck.source.values import Stop

CODE = "LEK305"


def sightings(story: Story) -> Iterator[Sighting]:
    for training in story.trainings:
        held = training.validation
        if held is None or not training.selects:
            continue
        tests = [t for t in story.tests_of(training) if t.scored]
        same = [t for t in tests if t.x.rows == held.rows]
        if not same or len(same) < len(tests):  # other rows tell the truth
            continue
        if _in_sample(training):
            continue
        yield Sighting(
            node=same[0].node,
            message="the rows that give the final score also chose the model",
            label="the same rows again",
            related=((training.node, f"{' and '.join(training.selects)} chose by them here"),),
            flow=(*held.trail, Stop("validation_data", training.node), Stop(same[0].name, same[0].node)),
            conclusion="the epoch that fits these rows best was kept, so their score is the best of many tries",
            help="hold out a third part: one part chooses, another one reports",
        )


def _in_sample(training: Training) -> bool:
    """Validation on the training rows is validation-is-training's matter."""
    return training.x is not None and training.validation is not None and training.x.rows == training.validation.rows
