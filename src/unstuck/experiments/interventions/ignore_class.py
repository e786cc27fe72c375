"""Labels that the loss ignores taken into it."""

from __future__ import annotations

from dataclasses import dataclass

from unstuck.experiments.experiment import Experiment, compile_config
from unstuck.experiments.intervention import Intervention
from unstuck.experiments.source_edits import fix
from unstuck.finding import Fix
from unstuck.measure.code.source import place_as_site
from unstuck.measure.setup import Setup


@dataclass(frozen=True)
class CountEveryClass(Intervention):
    """Train without `ignore_class`."""

    @property
    def label(self) -> str:
        return "no ignore_class"

    def apply(self, experiment: Experiment) -> Experiment:
        changed, settings = experiment.with_compile()
        loss = compile_config(settings)["loss"]
        loss = loss[0] if isinstance(loss, (list, tuple)) else loss
        loss["config"]["ignore_class"] = None
        return changed

    def edit(self, setup: Setup) -> Fix | None:
        site = setup.sites["compile"]
        place = setup.sources.argument(site, "loss", 1)
        inner = place_as_site(place, site) if place and site else None
        return fix("let every class count in the loss", [setup.sources.set_argument(inner, "ignore_class", "None")])
