"""Another loss."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from unstuck.experiments.experiment import Experiment, compile_config
from unstuck.experiments.intervention import Intervention
from unstuck.finding import Edit, Fix
from unstuck.measure.setup import BINARY, Setup, compiled_loss


@dataclass(frozen=True)
class SetLoss(Intervention):
    """Compile with the Keras loss of this name, taking logits or not.

    Metrics are dropped from the trial: some of them mean another thing under another loss.
    """

    name: str
    from_logits: bool = False

    @property
    def label(self) -> str:
        return self.name + (" (from_logits=True)" if self.from_logits else "")

    def apply(self, experiment: Experiment) -> Experiment:
        changed, settings = experiment.with_compile()
        chosen = compile_config(settings)
        chosen["loss"] = serialized_loss(self.name, self.from_logits)
        chosen["loss_weights"] = chosen["metrics"] = chosen["weighted_metrics"] = None
        activation = logits_activation(self.name) if self.from_logits else ""
        return replace(changed, decoding=replace(changed.decoding, activation=activation))

    def edit(self, setup: Setup) -> Fix | None:
        edit = set_loss(setup, self.name, from_logits=self.from_logits)
        title = f"compile with {self.name.replace('_', ' ')}" + (" on logits" if self.from_logits else "")
        return Fix(title=title, applicability="suggested" if edit else "sketch", edits=(edit,) if edit else ())


def serialized_loss(name: str, from_logits: bool) -> object:  # noqa: FBT001
    """The loss as compile settings hold it: its name, or its class when it takes logits."""
    if not from_logits:
        return name
    return {
        "module": "keras.losses",
        "class_name": loss_class(name),
        "config": {"from_logits": True},
        "registered_name": None,
    }


def settled_loss(given: Any) -> dict[str, Any] | None:
    """A loss in compile settings as a class whose settings can be set; None for several and for a person's own."""
    if isinstance(given, (list, tuple)):
        return settled_loss(given[0]) if len(given) == 1 else None
    loss = compiled_loss(given)
    if loss.custom or not loss.name or (isinstance(given, dict) and "class_name" not in given):
        return None
    if isinstance(given, dict) and isinstance(given.get("config"), dict):
        return {**given, "config": dict(given["config"])}
    return {"module": "keras.losses", "class_name": loss_class(loss.name), "config": {}, "registered_name": None}


def set_loss(setup: Setup, name: str, *, from_logits: bool) -> Edit | None:
    """The loss of the compile call as a person writes it; None where it cannot be written."""
    site = setup.sites["compile"]
    text = loss_source(setup, name, from_logits=from_logits)
    return setup.sources.set_argument(site, "loss", text, 1) if text else None


def loss_source(setup: Setup, name: str, *, from_logits: bool) -> str:
    """A loss in the person's file; "" where it needs a Keras class and Keras has no name there."""
    if not from_logits:
        return f'"{name}"'
    site = setup.sites["compile"]
    keras = setup.sources.keras_name(site["file"]) if site else ""
    return f"{keras}.losses.{loss_class(name)}(from_logits=True)" if keras else ""


def loss_class(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def logits_activation(name: str) -> str:
    """The activation that turns the logits of a loss into probabilities."""
    return "sigmoid" if name in BINARY else "softmax"
