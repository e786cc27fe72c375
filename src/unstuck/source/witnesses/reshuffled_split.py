"""tf.data: a shuffle that draws anew each epoch, before `take` and `skip`."""

from __future__ import annotations

from collections.abc import Iterator

from unstuck.source.leaks import pairs
from unstuck.source.sighting import Sighting
from unstuck.source.story import Story
from unstuck.source.values import Stop

CODE = "LEK204"


def sightings(story: Story) -> Iterator[Sighting]:
    seen = set()
    for pair in pairs(story):
        x, held = pair.training.x, pair.held
        if x is None or held is None or x.reshuffled is None or x.reshuffled is not held.reshuffled:
            continue
        cuts = [stop for stop in (*x.trail, *held.trail) if stop.text in ("take", "skip")]
        divided = {stop.text for stop in cuts} == {"take", "skip"}
        if not divided or x.reshuffled in seen or x.rows == held.rows:
            continue
        seen.add(x.reshuffled)
        yield Sighting(
            node=x.reshuffled.node,
            message="the data set is shuffled anew each epoch, before it is divided by take and skip",
            label="another order each epoch",
            related=tuple({id(stop.node): (stop.node, "cuts whatever comes first") for stop in cuts}.values()),
            confidence="proven",
            flow=(*x.trail, Stop(pair.training.name, pair.training.node), Stop(pair.name, pair.node)),
            conclusion="reshuffle_each_iteration is True by default, so the rows that are held out change each epoch"
            " and training has seen them before; a seed alone does not help",
            help="give shuffle reshuffle_each_iteration=False, or divide before shuffling",
            alternative="use keras.utils.split_dataset",
        )
