"""The learning rate at every step: from the schedule's settings, or from what a callback wrote into the logs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from unstuck.measure.case import NO_STEPS, Case, Missing
from unstuck.measure.setup import Setup


@dataclass(frozen=True)
class Rates:
    """Learning rates of a fit.

    Attributes:
        values: one a step, (steps,).
        schedule: class name of the schedule, "" when a callback changed the rate, or nothing did.
    """

    values: np.ndarray
    schedule: str

    @classmethod
    def of(cls, case: Case) -> Self:
        setup, steps = case.get(Setup), len(case.fit.losses)
        if not steps:
            raise Missing(NO_STEPS)
        began = int((case.fit.body["model"].get("optimizer") or {}).get("iterations") or 0)
        began -= case.fit.steps[0] if case.fit.steps and began else 0  # described after the step that built it
        given = setup.optimizer.config.get("learning_rate")
        if isinstance(given, dict):
            name, settings = str(given.get("class_name", "")), given.get("config") or {}
            if name not in SCHEDULES:
                raise Missing(f"the formula of the schedule {name or 'that was written for this program'}")
            return cls(np.array([SCHEDULES[name](began + i, settings) for i in range(steps)]), name)
        logged = [epoch["logs"].get("learning_rate") for epoch in case.fit.epochs]
        start = setup.optimizer.learning_rate
        if start is None:
            raise Missing("the learning rate")
        if not logged or any(rate is None for rate in logged):
            return cls(np.full(steps, start), "")
        epoch_of = np.clip(case.fit.losses[:, 0].astype(int), 0, len(logged) - 1)
        return cls(np.asarray(logged, dtype=float)[epoch_of], "")

    @property
    def peak(self) -> float:
        return float(self.values.max())


def _exponential(step: float, c: Mapping[str, Any]) -> float:
    power = step / c["decay_steps"]
    return float(c["initial_learning_rate"] * c["decay_rate"] ** (math.floor(power) if c.get("staircase") else power))


def _inverse(step: float, c: Mapping[str, Any]) -> float:
    power = step / c["decay_steps"]
    return float(
        c["initial_learning_rate"] / (1 + c["decay_rate"] * (math.floor(power) if c.get("staircase") else power))
    )


def _polynomial(step: float, c: Mapping[str, Any]) -> float:
    span = c["decay_steps"]
    if c.get("cycle"):
        span *= max(1, math.ceil(step / span))
    left = (1 - min(step, span) / span) ** c.get("power", 1.0)
    return float((c["initial_learning_rate"] - c["end_learning_rate"]) * left + c["end_learning_rate"])


def _cosine(step: float, c: Mapping[str, Any]) -> float:
    start, target, warm = c["initial_learning_rate"], c.get("warmup_target"), c.get("warmup_steps") or 0
    if target is not None:
        if step < warm:
            return float(start + (target - start) * step / warm)
        start, step = target, step - warm
    return float(start * _half_wave(min(step / c["decay_steps"], 1.0), c.get("alpha") or 0.0))


def _restarts(step: float, c: Mapping[str, Any]) -> float:
    length, height = float(c["first_decay_steps"]), 1.0
    while step >= length:
        step, length, height = step - length, length * c.get("t_mul", 2.0), height * c.get("m_mul", 1.0)
    return float(c["initial_learning_rate"] * _half_wave(step / length, c.get("alpha") or 0.0, height))


def _half_wave(done: float, floor: float, height: float = 1.0) -> float:
    return (1 - floor) * height * 0.5 * (1 + math.cos(math.pi * done)) + floor


def _piecewise(step: float, c: Mapping[str, Any]) -> float:
    return float(c["values"][sum(step > bound for bound in c["boundaries"])])


SCHEDULES = {
    "ExponentialDecay": _exponential,
    "InverseTimeDecay": _inverse,
    "PolynomialDecay": _polynomial,
    "CosineDecay": _cosine,
    "CosineDecayRestarts": _restarts,
    "PiecewiseConstantDecay": _piecewise,
}
"""The formulas of keras/src/optimizers/schedules/learning_rate_schedule.py."""
