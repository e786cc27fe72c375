"""Layers that do nothing any more."""

from __future__ import annotations

from dataclasses import dataclass

from unstuck.experiments.experiment import Experiment, layer_configs
from unstuck.experiments.intervention import Intervention
from unstuck.finding import Edit, Fix
from unstuck.measure.setup import Setup


@dataclass(frozen=True)
class RemoveLayers(Intervention):
    """Put an identity in the place of layers that keep the shape of their input; names and links stay.

    Attributes:
        names: of the layers.
    """

    names: tuple[str, ...]

    @property
    def label(self) -> str:
        return f"without {' and '.join(self.names)}"

    def apply(self, experiment: Experiment) -> Experiment:
        changed, model = experiment.with_model()
        for layer in layer_configs(model):
            name = layer["config"].get("name")
            if name in self.names:
                layer.update(class_name="Activation", module="keras.layers", registered_name=None)
                layer["config"] = {"name": name, "activation": "linear"}
                layer.pop("build_config", None)
                for node in layer.get("inbound_nodes", ()):
                    node["kwargs"] = {}  # a mask, or whether it is training: the identity takes neither
        return changed

    def edit(self, setup: Setup) -> Fix | None:
        removed = [layer for layer in setup.layers if layer.name in self.names]
        kinds = " and ".join(dict.fromkeys(layer.kind for layer in removed))
        edits = [_cut(setup, layer.site) for layer in removed]
        found = tuple(edit for edit in edits if edit is not None)
        applicability = "suggested" if found and len(found) == len(edits) else "sketch"
        return Fix(title=f"remove {kinds} after the output", applicability=applicability, edits=found)  # type: ignore[arg-type]


def _cut(setup: Setup, site: object) -> Edit | None:
    """Delete the line of a layer that has one to itself in a list, or in `model.add(...)`."""
    if not isinstance(site, dict) or site.get("end_line") != site.get("line"):
        return None
    line = (setup.sources.lines.get(site["file"]) or ("",) * site["line"])[site["line"] - 1]
    call = line[site["column"] - 1 : site["end_column"] - 1]
    rest = (line[: site["column"] - 1] + line[site["end_column"] - 1 :]).strip()
    if not call or (rest not in ("", ",") and not (rest.endswith(".add()") and rest[:-6].isidentifier())):
        return None
    place = setup.sources.location(site)
    if place is None:
        return None
    return Edit(file=place.file, start=(place.line, 1), end=(place.line + 1, 1), text="")
