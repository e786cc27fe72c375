"""A Normalization layer that has seen the data."""

from __future__ import annotations

import re
from dataclasses import dataclass

from unstuck.experiments.experiment import Experiment
from unstuck.experiments.intervention import Intervention
from unstuck.experiments.interventions.standardise import StandardiseInputs
from unstuck.finding import Edit, Fix
from unstuck.measure.setup import Setup


@dataclass(frozen=True)
class AdaptNormalization(Intervention):
    """Do what the layer would have done had it been adapted: standardise the inputs by the training rows."""

    layer: str

    @property
    def label(self) -> str:
        return "Normalization adapted"

    def apply(self, experiment: Experiment) -> Experiment:
        return StandardiseInputs().apply(experiment)

    def edit(self, setup: Setup) -> Fix | None:
        edit = _adapt_after_assignment(setup, self.layer)
        return Fix(
            title="adapt the Normalization layer to the training rows before fit",
            applicability="sketch" if edit is None else "suggested",
            edits=() if edit is None else (edit,),
        )


def _adapt_after_assignment(setup: Setup, name: str) -> Edit | None:
    """`layer.adapt(x)` on the line before fit, where the layer was assigned to a name on a line of its own."""
    layer = setup.layer(name)
    site = layer.site if layer else None
    fit = setup.fit_location()
    rows = setup.sources.text(setup.sources.argument(setup.sites["fit"], "x", 0))
    if site is None or fit is None or not rows.isidentifier() or setup.sources.shown(site["file"]) != fit.file:
        return None
    lines = setup.sources.lines[site["file"]]
    assigned = re.match(r"(\w+)\s*=\s*$", lines[site["line"] - 1][: site["column"] - 1])
    before = lines[fit.line - 1]
    indent = before[: len(before) - len(before.lstrip())]
    if assigned is None or indent:
        return None
    at = (fit.line, 1)
    return Edit(file=fit.file, start=at, end=at, text=f"{assigned[1]}.adapt({rows})\n")
