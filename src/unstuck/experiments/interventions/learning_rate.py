"""Another learning rate."""

from __future__ import annotations

from dataclasses import dataclass, replace

from unstuck.experiments.experiment import Experiment, optimizer_config
from unstuck.experiments.intervention import Intervention
from unstuck.finding import Fix
from unstuck.measure.setup import Setup


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
            schedule = optimizer_config(settings)["learning_rate"]["config"]
            for key in ("initial_learning_rate", "warmup_target", "end_learning_rate"):
                if isinstance(schedule.get(key), (int, float)):
                    schedule[key] *= self.factor
            return changed
        return replace(experiment, learning_rate=float(rate) * self.factor)

    def edit(self, setup: Setup) -> Fix | None:
        rate = setup.optimizer.learning_rate
        if rate is None or setup.optimizer.schedule:
            return None
        new = f"{rate * self.factor:.3g}"
        title = f"{'raise' if self.factor > 1 else 'lower'} the learning rate to {new}"
        site = setup.sites["compile"]
        place = setup.sources.argument(site, "optimizer", 0)
        call = setup.sources.call(site)
        if place is None or call is None or site is None:
            return Fix(title=title, applicability="sketch")
        text = setup.sources.text(place)
        if text.startswith(('"', "'")):
            name = CLASSES.get(text.strip("'\"").lower(), "Adam")
            edit = setup.sources.replace(place, f"keras.optimizers.{name}(learning_rate={new})")
        else:
            inner = {
                "line": place.line,
                "column": place.column,
                "end_line": place.end_line,
                "end_column": place.end_column,
                "file": site["file"],
            }
            edit = setup.sources.set_argument(inner, "learning_rate", new, 0)
        return Fix(title=title, applicability="suggested" if edit else "sketch", edits=(edit,) if edit else ())


def _optimizer_name(experiment: Experiment) -> str:
    from unstuck.experiments.experiment import compile_config

    optimizer = compile_config(experiment.compile).get("optimizer")
    return str(optimizer["class_name"] if isinstance(optimizer, dict) else optimizer).lower()


DEFAULT_RATES = {"sgd": 0.01}
CLASSES = {
    "adam": "Adam",
    "sgd": "SGD",
    "rmsprop": "RMSprop",
    "adamw": "AdamW",
    "nadam": "Nadam",
    "adagrad": "Adagrad",
    "adadelta": "Adadelta",
    "adamax": "Adamax",
}
