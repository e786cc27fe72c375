"""Terms of the loss brought to one size."""

from __future__ import annotations

from dataclasses import dataclass

from unstuck.experiments.experiment import Experiment, compile_config
from unstuck.experiments.intervention import Intervention
from unstuck.finding import Fix
from unstuck.measure.setup import Setup


@dataclass(frozen=True)
class BalanceLossTerms(Intervention):
    """Compile with these weights.

    Args:
        weights: of the terms, in their order. outputs: their names, where the losses are given by name.
    """

    weights: tuple[float, ...]
    outputs: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        return f"loss weights {', '.join(f'{weight:g}' for weight in self.weights)}"

    def apply(self, experiment: Experiment) -> Experiment:
        changed, settings = experiment.with_compile()
        named = dict(zip(self.outputs, self.weights, strict=True)) if self.outputs else list(self.weights)
        compile_config(settings)["loss_weights"] = named
        return changed

    def edit(self, setup: Setup) -> Fix | None:
        numbers = [f"{weight:g}" for weight in self.weights]
        text = f"[{', '.join(numbers)}]"
        if self.outputs:
            named = [f'"{name}": {number}' for name, number in zip(self.outputs, numbers, strict=True)]
            text = f"{{{', '.join(named)}}}"
        edit = setup.sources.set_argument(setup.sites["compile"], "loss_weights", text, 2)
        title = "weigh the terms of the loss"
        return Fix(title=title, applicability="suggested" if edit else "sketch", edits=(edit,) if edit else ())
