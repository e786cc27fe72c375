"""Training on full batches only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unstuck.experiments.experiment import Experiment
from unstuck.experiments.intervention import Intervention
from unstuck.finding import Edit, Fix
from unstuck.measure.setup import Setup


@dataclass(frozen=True)
class DropRemainder(Intervention):
    """Leave out the last rows, which do not fill a batch."""

    @property
    def label(self) -> str:
        return "full batches only"

    def apply(self, experiment: Experiment) -> Experiment:
        size = experiment.batch_size
        return experiment.at(np.arange(len(experiment.y) // size * size))

    def edit(self, setup: Setup) -> Fix | None:
        site, sources = setup.sites["fit"], setup.sources
        kept = setup.rows // setup.batch_size * setup.batch_size
        edits: list[Edit | None] = []
        for name, position in (("x", 0), ("y", 1)):
            place = sources.argument(site, name, position)
            text = sources.text(place)
            edits.append(sources.replace(place, f"{text}[:{kept}]") if text.isidentifier() else None)
        complete = all(edits)
        return Fix(
            title=f"train on {kept} rows, which fill their batches",
            applicability="suggested" if complete else "sketch",
            edits=tuple(edit for edit in edits if edit) if complete else (),
            alternative="another batch_size; with tf.data batch(n, drop_remainder=True)",
        )
