"""What load_weights changed in the model before the fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from unstuck.measure.case import Case, Missing
from unstuck.measure.network.graph import Graph


@dataclass(frozen=True)
class LoadedWeights:
    """The call of load_weights on this model, or on one that it contains, that changed most before the fit.

    Attributes:
        lenient: whether it was allowed to leave out what does not fit.
        weights: numbers in variables that hold more than one value; kept: those that it left as they were.
    """

    site: Mapping[str, Any] | None
    lenient: bool
    weights: int
    kept: int

    @classmethod
    def of(cls, case: Case) -> Self:
        body, graph = case.fit.body, case.find(Graph)
        names = {body["model"]["name"], *(graph.nodes if graph else ())}
        calls = [
            event
            for event in case.run.events
            if event.kind == "load-weights" and event.sequence < case.fit.sequence and event.body["model"] in names
        ]
        if not calls:
            raise Missing("a call of load_weights before the fit")
        return min((cls._read(event.body) for event in calls), key=lambda loaded: loaded.kept / max(loaded.weights, 1))

    @classmethod
    def _read(cls, about: Mapping[str, Any]) -> Self:
        counted = [v for v in about["variables"] if not (v["constant"] and v["kept"])]
        return cls(
            about["site"],
            bool(about["settings"].get("skip_mismatch") or about["settings"].get("by_name")),
            sum(v["size"] for v in counted),
            sum(v["size"] for v in counted if v["kept"]),
        )
