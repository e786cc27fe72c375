"""A transformer without labels that was fitted on held-out rows too."""

from __future__ import annotations

from collections.abc import Iterator

from unstuck.source.leaks import Leak, leaks
from unstuck.source.sighting import Sighting
from unstuck.source.story import Story

CODE = "LEK302"
_PRICE = "no labels pass, and the score usually moves by less than 0.01; `unstuck run` measures it here"


def sightings(story: Story) -> Iterator[Sighting]:
    for leak in leaks(story, ("statistics", "encoder", "encoding with labels")):
        if leak.fitting.kind == "encoding with labels" or _of_the_labels(leak, story):
            continue
        name = leak.fitting.name
        written_out = name[:1].islower()
        what = f"the {name} was computed" if written_out else f"{name} was fitted"
        yield Sighting(
            node=leak.fitting.node,
            message=f"{what} on the held-out rows too, before the split",
            label="sees the held-out rows",
            related=leak.related("the split comes only here"),
            confidence="possible" if leak.fitting.kind == "encoder" else "likely",
            flow=leak.flow,
            conclusion=_PRICE,
            help=f"split first, then {'compute' if written_out else 'fit'} it on the training rows only",
        )


def _of_the_labels(leak: Leak, story: Story) -> bool:
    """A group mean of the target is selection-before-split's matter."""
    fitting = leak.fitting
    return fitting.grouped and fitting.column in story.label_columns
