"""Whether the loss takes logits."""

from __future__ import annotations

from dataclasses import dataclass, replace

from unstuck.experiments.experiment import Experiment, compile_config
from unstuck.experiments.intervention import Intervention
from unstuck.experiments.interventions.loss import logits_activation, loss_source, settled_loss
from unstuck.finding import Fix
from unstuck.measure.setup import Setup


@dataclass(frozen=True)
class SetFromLogits(Intervention):
    """Set `from_logits` of the loss; its other settings stay."""

    value: bool

    @property
    def label(self) -> str:
        return f"from_logits={self.value}"

    def apply(self, experiment: Experiment) -> Experiment:
        changed, settings = experiment.with_compile()
        chosen = compile_config(settings)
        loss = settled_loss(chosen["loss"])
        if loss is None:
            raise ValueError(f"a single loss of Keras has from_logits, not {chosen['loss']!r}")
        name = str(loss["class_name"])
        chosen["loss"] = {**loss, "config": {**loss["config"], "from_logits": self.value}}
        binary = name.startswith("Binary")
        activation = logits_activation("binary_crossentropy" if binary else name) if self.value else ""
        return replace(changed, decoding=replace(changed.decoding, activation=activation))

    def edit(self, setup: Setup) -> Fix | None:
        sources, site = setup.sources, setup.sites["compile"]
        place = sources.argument(site, "loss", 1)
        what = "the output is logits" if self.value else "the output is probabilities already"
        title = f"pass {self.label} to the loss: {what}"
        text = sources.text(place)
        if place is None or site is None or not text:
            return Fix(title=title, applicability="sketch")
        if text[0] in "\"'":
            text = loss_source(setup, setup.loss.name, from_logits=self.value)
            edit = sources.replace(place, text) if text else None
        else:
            inner = {
                "file": site["file"],
                "line": place.line,
                "column": place.column,
                "end_line": place.end_line,
                "end_column": place.end_column,
            }
            edit = sources.set_argument(inner, "from_logits", str(self.value), 0)
        return Fix(title=title, applicability="suggested" if edit else "sketch", edits=(edit,) if edit else ())
