"""Another optimiser, or other settings of it, the rate aside."""

from __future__ import annotations

from dataclasses import dataclass, replace

from unstuck.experiments.experiment import Experiment, compile_config, optimizer_config
from unstuck.experiments.intervention import Intervention
from unstuck.experiments.interventions.learning_rate import ScaleLearningRate
from unstuck.experiments.source_edits import fix, set_optimizer, set_optimizer_argument
from unstuck.finding import Fix
from unstuck.measure.setup import Setup


@dataclass(frozen=True)
class UseAdam(Intervention):
    """Adam with its usual settings, which takes steps of its own size for each weight."""

    rate: float = 0.001

    @property
    def label(self) -> str:
        return f"Adam({self.rate:g})"

    @property
    def turns(self) -> frozenset[str]:
        return super().turns | {ScaleLearningRate.__name__}

    def apply(self, experiment: Experiment) -> Experiment:
        changed, settings = experiment.with_compile()
        adam: dict[str, object] = {
            "module": "keras.optimizers",
            "class_name": "Adam",
            "config": {},
            "registered_name": None,
        }
        compile_config(settings)["optimizer"] = adam
        return replace(changed, learning_rate=self.rate)

    def edit(self, setup: Setup) -> Fix | None:
        edit = set_optimizer(setup, f"Adam({self.rate:g})")
        return fix("use Adam, which takes steps of its own size for each weight", [edit])


@dataclass(frozen=True)
class SetMomentum(Intervention):
    """Set the momentum (of SGD and RMSprop) or the decay of the first moment (`beta_1`, of the Adam family)."""

    value: float

    @property
    def label(self) -> str:
        return f"momentum {self.value:g}"

    def apply(self, experiment: Experiment) -> Experiment:
        changed, settings = experiment.with_compile()
        config = optimizer_config(settings)
        config["beta_1" if "beta_1" in config else "momentum"] = self.value
        return changed

    def edit(self, setup: Setup) -> Fix | None:
        name = "beta_1" if "beta_1" in setup.optimizer.config else "momentum"
        return fix(f"set {name} to {self.value:g}", [set_optimizer_argument(setup, name, f"{self.value:g}")])


@dataclass(frozen=True)
class SetEpsilon(Intervention):
    """Set what the Adam family and RMSprop add to the size of a gradient before they divide by it."""

    value: float

    @property
    def label(self) -> str:
        return f"epsilon {self.value:g}"

    def apply(self, experiment: Experiment) -> Experiment:
        changed, settings = experiment.with_compile()
        optimizer_config(settings)["epsilon"] = self.value
        return changed

    def edit(self, setup: Setup) -> Fix | None:
        edit = set_optimizer_argument(setup, "epsilon", f"{self.value:g}")
        return fix(f"set epsilon to {self.value:g}", [edit])


@dataclass(frozen=True)
class SetClipNorm(Intervention):
    """Scale down the gradient of each variable whose norm exceeds `value`."""

    value: float

    @property
    def label(self) -> str:
        return f"gradient norm at most {self.value:g}"

    def apply(self, experiment: Experiment) -> Experiment:
        changed, settings = experiment.with_compile()
        config = optimizer_config(settings)
        config.update(clipnorm=self.value, clipvalue=None, global_clipnorm=None)
        return changed

    def edit(self, setup: Setup) -> Fix | None:
        title = f"clip the norm of the gradients at {self.value:g}"
        if setup.optimizer.config.get("clipvalue") or setup.optimizer.config.get("global_clipnorm"):
            return fix(title, [None])
        return fix(title, [set_optimizer_argument(setup, "clipnorm", f"{self.value:g}")])
