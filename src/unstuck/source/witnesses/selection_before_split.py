"""Features chosen, or encoded, with the labels of held-out rows in view."""

from __future__ import annotations

from collections.abc import Iterator

from unstuck.source.leaks import leaks
from unstuck.source.sighting import Sighting
from unstuck.source.story import Story

CODE = "LEK303"


def sightings(story: Story) -> Iterator[Sighting]:
    for leak in leaks(story, ("selection", "encoding with labels", "statistics")):
        fitting = leak.fitting
        target_mean = fitting.grouped and fitting.column in story.label_columns
        if fitting.kind == "statistics" and not target_mean:
            continue
        chosen = fitting.kind == "selection"
        if target_mean:
            message = f"a {fitting.name} of the labels was taken over groups that hold the held-out rows too"
        elif chosen:
            message = "features were chosen with the held-out rows and their labels"
        else:
            message = f"{fitting.name} was fitted with the labels of the held-out rows"
        yield Sighting(
            node=fitting.node,
            message=message,
            label="sees the labels of the held-out rows",
            related=leak.related("the split comes only here"),
            flow=leak.flow,
            conclusion="what agrees with the held-out labels by chance is kept, and shows as skill; the price grows"
            " with the number of columns or categories and falls with the number of rows",
            help="split first, then "
            + ("select" if chosen else "encode")
            + " with the training rows only, or put it into the Pipeline that is cross-validated",
        )
