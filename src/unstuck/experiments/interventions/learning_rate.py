"""Another learning rate."""

from __future__ import annotations

from dataclasses import dataclass, replace

from unstuck.experiments.experiment import Experiment, optimizer_config
from unstuck.experiments.intervention import Intervention
from unstuck.experiments.source_edits import fix, set_optimizer_argument
from unstuck.finding import Edit, Fix
from unstuck.measure.setup import Setup
from unstuck.record.rebuild import SCALE

RATES = {"initial_learning_rate": 0, "warmup_target": None, "end_learning_rate": None}
"""Arguments of Keras's schedules that are rates, with their position where they are the first."""


@dataclass(frozen=True)
class ScaleLearningRate(Intervention):
    """Multiply the learning rate by `factor`, a schedule's rates included."""

    factor: float

    @property
    def label(self) -> str:
        return f"learning rate × {self.factor:g}" if self.factor >= 1 else f"learning rate ÷ {1 / self.factor:g}"

    def apply(self, experiment: Experiment) -> Experiment:
        rate = experiment.learning_rate
        if rate is None:
            config = optimizer_config(experiment.with_compile()[1])
            rate = config.get("learning_rate", DEFAULT_RATES.get(_optimizer_name(experiment), 0.001))
        if isinstance(rate, dict):
            changed, settings = experiment.with_compile()
            schedule = optimizer_config(settings)["learning_rate"]
            schedule[SCALE] = schedule.get(SCALE, 1.0) * self.factor
            return changed
        return replace(experiment, learning_rate=float(rate) * self.factor)

    def edit(self, setup: Setup) -> Fix | None:
        rate = setup.optimizer.learning_rate
        if setup.optimizer.schedule:
            title = f"multiply the rates of {setup.optimizer.schedule_class} by {self.factor:g}"
            return fix(title, _scaled_rates(setup, self.factor))
        if rate is None:
            return None
        new = f"{rate * self.factor:.3g}"
        title = f"{'raise' if self.factor > 1 else 'lower'} the learning rate to {new}"
        return fix(title, [set_optimizer_argument(setup, "learning_rate", new)])


def _scaled_rates(setup: Setup, factor: float) -> list[Edit | None]:
    """New values of the rates that a schedule of Keras was made with, where they are written as numbers."""
    site = setup.made_site(setup.optimizer.schedule_class)
    values = setup.optimizer.config["learning_rate"].get("config") or {}
    edits = []
    for name, position in RATES.items():
        place = setup.sources.argument(site, name, position)
        if place is not None and isinstance(values.get(name), (int, float)) and values[name]:
            edits.append(setup.sources.replace(place, f"{values[name] * factor:.3g}"))
    return edits


def _optimizer_name(experiment: Experiment) -> str:
    from unstuck.experiments.experiment import compile_config

    optimizer = compile_config(experiment.compile).get("optimizer")
    return str(optimizer["class_name"] if isinstance(optimizer, dict) else optimizer).lower()


DEFAULT_RATES = {"sgd": 0.01}
