"""A vocabulary that is learnt again after texts were numbered by it."""

from __future__ import annotations

from collections.abc import Iterator

from unstuck.source.sighting import Sighting
from unstuck.source.story import Story
from unstuck.source.values import Network

CODE = "PIP110"


def sightings(story: Story) -> Iterator[Sighting]:
    if not any(isinstance(training.model, Network) for training in story.trainings):
        return
    for made, first, again in story.refitted:
        yield Sighting(
            node=again,
            message=f"{made.name or 'the tokenizer'} learns its vocabulary again after texts were numbered by it",
            label="gives words other numbers",
            related=((first, "the vocabulary is made here"),),
            conclusion="words are numbered by how frequent they are, so the same word has another number in the texts"
            " that come after this",
            help="learn the vocabulary once, from the training texts",
        )
