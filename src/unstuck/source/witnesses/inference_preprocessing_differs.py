"""A transformer that was fitted again on the held-out rows."""

from __future__ import annotations

from collections.abc import Iterator

from unstuck.source import rows as row_sets
from unstuck.source.leaks import pairs
from unstuck.source.sighting import Sighting
from unstuck.source.story import Story
from unstuck.source.values import Fitting, Stop

CODE = "EVA106"


def sightings(story: Story) -> Iterator[Sighting]:
    told: set[Fitting] = set()
    learnt_again = {again for _, _, again in story.refitted}
    renewed = {fitting for fitting in story.fittings if fitting.node in learnt_again}  # vocabulary-refit tells them
    for pair in pairs(story):
        x, held = pair.training.x, pair.held
        if x is None or held is None or pair.overlaps:
            continue
        trained = {fitting.name: fitting for fitting, _ in x.taints if row_sets.share(fitting.rows, x.rows)}
        for fitting, _ in sorted(held.taints, key=lambda taint: getattr(taint[0].node, "lineno", 0)):
            first = trained.get(fitting.name)
            if first is None or fitting in told | renewed or first is fitting or fitting.name[:1].islower():
                continue
            if first.column != fitting.column or any(fitting is other for other, _ in x.taints):
                continue
            if not row_sets.covers(fitting.rows, held.rows) or not row_sets.apart(fitting.rows, x.rows):
                continue
            told.add(fitting)
            yield Sighting(
                node=fitting.node,
                message=f"{fitting.name} was fitted again on the held-out rows",
                label="other statistics than in training",
                related=((first.node, "fitted for training here"),),
                flow=(*fitting.trail, Stop(pair.name, pair.node)),
                conclusion="training rows and held-out rows are written in different units, and one new row could not"
                " be prepared at all",
                help="use transform, not fit_transform, on the held-out rows",
            )
