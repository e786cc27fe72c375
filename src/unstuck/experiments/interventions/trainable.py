"""Every layer trainable."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import msgspec

from unstuck.experiments.experiment import Experiment
from unstuck.experiments.intervention import Intervention
from unstuck.finding import Edit, Fix, Location
from unstuck.measure.setup import Layer, Setup
from unstuck.record.made import TRAINS


@dataclass(frozen=True)
class Unfreeze(Intervention):
    """Set `trainable` of every layer.

    Attributes:
        alternative: what else would do, for the person to read.
    """

    alternative: str = "freeze only the layers before the head"

    @property
    def label(self) -> str:
        return "every layer trainable"

    def apply(self, experiment: Experiment) -> Experiment:
        changed, model = experiment.with_model()
        _thaw(model)
        return changed

    def edit(self, setup: Setup) -> Fix | None:
        frozen = [layer for layer in setup.layers if layer.params and not layer.trainable]
        title = "let the layers train"
        places = [setup.sources.argument(layer.site, "trainable") for layer in frozen]
        if frozen and all(places):
            found = {(p.line, p.column): setup.sources.replace(p, "True") for p in places if p}
            edits = tuple(e for e in found.values() if e)
            return Fix(title=title, applicability="suggested", edits=edits, alternative=self.alternative)
        return Fix(
            title=title,
            applicability="sketch",
            edits=tuple(_true(place) for place in freezing_lines(setup)),
            alternative=self.alternative,
        )


def freezing_lines(setup: Setup) -> tuple[Location, ...]:
    """Spans of the `False` in statements like `layer.trainable = False`, in the recorded files."""
    found = []
    for file, lines in setup.sources.lines.items():
        for line, column in _assigned_false("\n".join(lines)):
            text = lines[line - 1].encode()[:column].decode(errors="replace")
            start = len(text) + 1
            found.append(
                Location(
                    file=setup.sources.shown(file),
                    line=line,
                    column=start,
                    end_line=line,
                    end_column=start + len("False"),
                )
            )
    return tuple(found)


def frozen_at(setup: Setup, layers: Sequence[Layer]) -> tuple[Location, ...]:
    """Where the source freezes these layers: their arguments, then statements."""
    arguments = [setup.sources.argument(layer.site, "trainable", whole=True, label="frozen") for layer in layers]
    found = {(place.file, place.line): place for place in arguments if place}
    for place in freezing_lines(setup):
        found.setdefault((place.file, place.line), msgspec.structs.replace(place, label="frozen here"))
    return tuple(found.values())


@lru_cache(maxsize=64)
def _assigned_false(text: str) -> tuple[tuple[int, int], ...]:
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return ()
    return tuple(
        (node.value.lineno, node.value.col_offset)
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Constant)
        and node.value.value is False
        and any(isinstance(target, ast.Attribute) and target.attr == "trainable" for target in node.targets)
    )


def _true(place: Location) -> Edit:
    return Edit(
        file=place.file,
        start=(place.line, place.column),
        end=(place.line, place.end_column or 1),
        text="True",
    )


def _thaw(model: dict[str, Any]) -> None:
    for part in _parts(model):
        if "trainable" in part["config"]:
            part["config"]["trainable"] = True
        part["config"].pop(TRAINS, None)


def _parts(model: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The serialized model, its layers, and the layers inside nested models and wrappers."""
    yield model
    config = model["config"]
    for inner in [*config.get("layers", []), config.get("layer")]:
        if isinstance(inner, dict) and isinstance(inner.get("config"), dict):
            yield from _parts(inner)
