"""What the replay of the recorded snapshots showed: outputs, activations, gradients, losses (see `record/probe.py`)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np

from unstuck.measure.case import NO_STEPS, Case, Missing


@dataclass(frozen=True)
class LayerState:
    """Outputs of one layer on a batch of training rows.

    Attributes:
        dead_share: share of units whose output is 0 for every row (after ReLU: never active).
        saturated_share: share of outputs within 1 % of a bound of the activation (sigmoid 0/1, tanh -1/1).
        constant_share: share of units whose output does not vary over the rows.
        finite: whether all outputs are finite.
    """

    name: str
    activation: str
    minimum: float
    maximum: float
    std: float
    dead_share: float
    saturated_share: float
    constant_share: float
    finite: bool


@dataclass(frozen=True)
class VariableState:
    """One trainable variable: norm of its gradient and of its value, root mean square."""

    path: str
    gradient: float
    value: float
    finite: bool


@dataclass(frozen=True)
class Moment:
    """The network as it was after `step` optimiser steps.

    Attributes:
        loss: data loss in training mode on the probe rows; penalty: sum of `model.losses`, regularisers and the like.
        train_skill, held_skill: see `Task.skill`.
    """

    step: int
    loss: float
    penalty: float
    layers: tuple[LayerState, ...]
    variables: tuple[VariableState, ...]

    def gradients(self, part: str = "kernel") -> tuple[float, ...]:
        """Gradient norms of the variables whose path ends with `part`, from the input to the output."""
        return tuple(v.gradient for v in self.variables if v.path.endswith(part))


@dataclass(frozen=True)
class Replay:
    """The recorded weights, run again on the recorded rows, on the person's backend.

    Attributes:
        moments: by ascending step; the first is the initial state, the last the final one.
        train_outputs, held_outputs: `predict` of the final weights, (n, ...).
        evaluated_loss: `evaluate` on the training sample with the final weights (the loss Keras would report).
        loss_change: largest change of the loss when the outputs are perturbed, relative to the loss (0: the loss
            ignores its predictions); label_change: the same when the labels are permuted inside a batch.
        gradient_zero: whether the gradient of the loss with respect to the outputs is exactly 0 on every probe row.
        moved: largest absolute change of each variable between first and last snapshot, by path.
        stationary: paths of the variables that did not change at all.
    """

    moments: tuple[Moment, ...]
    train_outputs: np.ndarray
    held_outputs: np.ndarray
    evaluated_loss: float
    loss_change: float
    label_change: float
    gradient_zero: bool
    moved: dict[str, float]
    relative_moves: dict[str, float]

    @classmethod
    def of(cls, case: Case) -> Self:
        raw, arrays = case.fit.probe, case.fit.probe_arrays
        if not raw or raw.get("error"):
            if not len(case.fit.losses):
                raise Missing(NO_STEPS)
            raise Missing(f"a replay of the recorded weights ({raw.get('error') or 'not run'})")
        nan = float("nan")
        moments = tuple(
            Moment(
                step=m["step"],
                loss=_number(m["loss"]),
                penalty=_number(m["penalty"]),
                layers=tuple(LayerState(**layer) for layer in m["layers"]),
                variables=tuple(
                    VariableState(v["path"], _number(v["gradient"]), _number(v["value"]), v["finite"])
                    for v in m["variables"]
                ),
            )
            for m in raw["moments"]
        )
        empty = np.zeros((0, 1))
        return cls(
            moments=moments,
            train_outputs=arrays.get("train-outputs", empty),
            held_outputs=arrays.get("held-outputs", empty),
            evaluated_loss=_number(raw.get("evaluated_loss", nan)),
            loss_change=_number(raw.get("loss_change", nan)),
            label_change=_number(raw.get("label_change", nan)),
            gradient_zero=bool(raw.get("gradient_zero", False)),
            moved={k: _number(v) for k, v in raw.get("moved", {}).items()},
            relative_moves={k: _number(v) for k, v in raw.get("relative_moves", {}).items()},
        )

    @property
    def first(self) -> Moment:
        return self.moments[0]

    @property
    def last(self) -> Moment:
        return self.moments[-1]

    @property
    def stationary(self) -> bool:
        """Whether no trainable variable changed at all between the first and the last snapshot."""
        return len(self.moments) > 1 and bool(self.moved) and max(self.moved.values()) == 0.0

    def layer(self, name: str, *, first: bool = False) -> LayerState | None:
        moment = self.first if first else self.last
        return next((layer for layer in moment.layers if layer.name == name), None)

    def largest_output(self, layers: Iterable[str]) -> float:
        """Largest finite output, either sign, of the layers of these names at any moment; 0 when none was replayed."""
        names = set(layers)
        seen = [state for moment in self.moments for state in moment.layers if state.name in names]
        return max((max(abs(state.minimum), abs(state.maximum)) for state in seen), default=0.0)

    def kernel_ratios(self, layers: Iterable[str] | None = None) -> list[float]:
        """Final over initial size of each kernel, of all layers or of those of these names; NaN for no number."""
        before, names = {v.path: v.value for v in self.first.variables}, None if layers is None else set(layers)
        kernels = [v for v in self.last.variables if v.path.endswith("kernel") and before.get(v.path, 0) > 0]
        return [v.value / before[v.path] for v in kernels if names is None or names & set(v.path.split("/"))]


def _number(value: object) -> float:
    return float("nan") if value is None else float(value)  # type: ignore[arg-type]
