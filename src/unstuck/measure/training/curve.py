"""The loss curve: where it began, where it ended, whether it still falls, jumps, swings or left the numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from unstuck.measure.case import NO_STEPS, Case, Missing

STILL_FALLING = 0.01
"""Relative fall an epoch that counts as not finished; 1 % an epoch halves the loss in 70."""


@dataclass(frozen=True)
class Curve:
    """Per-step losses and per-epoch logs of a fit.

    Attributes:
        losses: (steps,), the loss of each batch.
        epochs: training loss an epoch; held: validation loss an epoch (empty without validation).
        first, last: mean of the first and last few steps (5 % of them, at least 3, at most 50).
        lowest: smallest smoothed loss.
        non_finite_step: step of the first loss that is not a number, or None.
        falling: relative fall of the training loss an epoch over the last third of the epochs (0.02: 2 % an epoch).
        held_falling: the same of the validation loss, NaN without validation.
        roughness: spread of the step-to-step differences relative to the spread of the loss, detrended; near 1.4 for
            white noise around a flat line, small for a smooth curve.
    """

    losses: np.ndarray
    epochs: np.ndarray
    held: np.ndarray
    first: float
    last: float
    lowest: float
    non_finite_step: int | None
    falling: float
    held_falling: float

    @classmethod
    def of(cls, case: Case) -> Self:
        table = case.fit.losses
        if not len(table):
            raise Missing(NO_STEPS)
        losses = table[:, 2]
        epochs = np.array([_value(e["logs"].get("loss")) for e in case.fit.epochs])
        held = np.array([_value(e["logs"]["val_loss"]) for e in case.fit.epochs if "val_loss" in e["logs"]])
        finite = np.isfinite(losses)
        bad = np.flatnonzero(~finite)
        few = int(np.clip(len(losses) * 0.05, 3, 50))
        smooth = (
            np.convolve(losses[finite], np.ones(few) / few, mode="valid") if finite.sum() >= few else losses[finite]
        )
        return cls(
            losses=losses,
            epochs=epochs,
            held=held,
            first=float(losses[:few].mean()),
            last=float(losses[-few:].mean()),
            lowest=float(smooth.min()) if len(smooth) else float("nan"),
            non_finite_step=int(table[bad[0], 1]) if len(bad) else None,
            falling=_fall(epochs),
            held_falling=_fall(held),
        )

    @property
    def falls(self) -> float:
        """Relative fall an epoch of the held-out loss, or of the training loss where nothing is held out; 0 unknown."""
        return next((rate for rate in (self.held_falling, self.falling) if np.isfinite(rate)), 0.0)

    @property
    def diverged(self) -> bool:
        """Left the numbers, or ended at more than 10 times where it began."""
        return self.non_finite_step is not None or bool(self.last > 10 * abs(self.first) + 1e-12)


def _value(value: object) -> float:
    return float("nan") if value is None else float(value)  # type: ignore[arg-type]


def _fall(values: np.ndarray) -> float:
    """Relative fall an epoch over the last third, by least squares on the logarithm; NaN under 3 epochs."""
    if len(values) < 3 or not np.isfinite(values).all() or (values <= 0).any():
        return float("nan")
    tail = values[-max(3, len(values) // 3) :]
    slope = float(np.polyfit(np.arange(len(tail)), np.log(tail), 1)[0])
    return -slope
