"""Parts of the network that no loss depends on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from unstuck.measure.case import Case
from unstuck.measure.network.graph import Graph


@dataclass(frozen=True)
class Branches:
    """Layers with weights outside the way from the inputs to a loss.

    Attributes:
        beside: recorded layers that read the model's layers and are part of no model.
        unlossed: names of layers of the model that only feed outputs without a loss.
    """

    beside: tuple[Mapping[str, Any], ...]
    unlossed: tuple[str, ...]

    @classmethod
    def of(cls, case: Case) -> Self:
        body = case.fit.body
        beside = tuple(layer for layer in body.get("side_layers") or () if layer["params"])
        graph = case.find(Graph)
        if graph is None:
            return cls(beside, ())
        lossless = _without_loss(graph, body["model"])
        if not lossless:
            return cls(beside, ())
        needed = graph.upstream([name for name in graph.outputs if name not in lossless])
        idle = graph.upstream(lossless) - needed
        return cls(
            beside, tuple(member for node in graph.nodes if node in idle for member in graph.nodes[node].members)
        )


def _without_loss(graph: Graph, model: Mapping[str, Any]) -> list[str]:
    """Outputs for which compile was given no loss, by name or by place."""
    settings = model.get("compile") or {}
    settings = settings["config"] if "class_name" in settings and "config" in settings else settings
    losses = settings.get("loss")
    if isinstance(losses, Mapping) and "class_name" not in losses:
        return [name for name in graph.outputs if losses.get(name) is None] if set(losses) & set(graph.outputs) else []
    if isinstance(losses, (list, tuple)) and len(losses) == len(graph.outputs):
        return [name for name, loss in zip(graph.outputs, losses, strict=True) if loss is None]
    return []
