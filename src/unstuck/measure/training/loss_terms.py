"""The terms that the loss is the sum of: one an output, each with its weight and what Keras printed for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from unstuck.measure.case import Case
from unstuck.measure.network.graph import Graph
from unstuck.measure.setup import by_name
from unstuck.measure.training.logs import Logs


@dataclass(frozen=True)
class LossTerm:
    """The loss of one output, by its name or class. `values`: an epoch, unweighted; empty where Keras printed none."""

    output: str
    loss: str
    weight: float
    values: np.ndarray


@dataclass(frozen=True)
class LossTerms:
    terms: tuple[LossTerm, ...]

    @classmethod
    def of(cls, case: Case) -> Self:
        settings = case.fit.body["model"].get("compile") or {}
        chosen = (settings.get("config") if "class_name" in settings else settings) or {}
        logs = case.find(Logs)
        series = logs.series if logs is not None else {}
        loss, weights = chosen.get("loss"), chosen.get("loss_weights")
        printed = [name.removesuffix("_loss") for name in series if name.endswith("_loss")]
        if by_name(loss):
            names = [name for name, entry in loss.items() if entry is not None]
            losses = [entry for entry in loss.values() if entry is not None]
        elif isinstance(loss, (list, tuple)) and len(loss) > 1:
            graph = case.find(Graph)
            if graph is not None and set(graph.ports) == set(printed):  # Keras prints them in the order of the alphabet
                printed = list(graph.ports)
            names = printed if len(printed) == len(loss) else [f"output {i + 1}" for i in range(len(loss))]
            losses = list(loss)
        else:
            names, losses = ([""], [loss]) if loss is not None else ([], [])
        empty = np.zeros(0)
        return cls(
            tuple(
                LossTerm(
                    name,
                    _named(losses[i]),
                    _weight(weights, name, i),
                    series.get(f"{name}_loss" if name else "loss", empty),
                )
                for i, name in enumerate(names)
            )
        )


def _weight(weights: Any, name: str, position: int) -> float:
    if isinstance(weights, dict):
        weights = weights.get(name, 1.0)
    elif isinstance(weights, (list, tuple)):
        weights = weights[position] if position < len(weights) else 1.0
    return float(weights) if isinstance(weights, (int, float)) else 1.0


def _named(loss: Any) -> str:
    if isinstance(loss, (list, tuple)):
        loss = loss[0] if loss else None
    if isinstance(loss, dict):
        inner = loss.get("config")
        return inner if isinstance(inner, str) else str(loss.get("class_name", ""))
    return str(loss or "")
