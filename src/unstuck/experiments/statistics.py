"""Paired differences: effect, interval, verdict, and how many seeds would settle it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

WORTH = 0.05
"""Smallest difference in skill that counts as an effect: 2.5 points of accuracy on balanced classes."""
MAX_SETTLING_SEEDS = 200

Decision = Literal["confirmed", "refuted", "inconclusive"]


@dataclass(frozen=True)
class Effect:
    """Mean paired difference with a two-sided t interval, and what follows from it."""

    mean: float
    low: float
    high: float
    decision: Decision
    seeds_to_settle: int | None


def paired_effect(
    baseline: Sequence[float],
    value: Sequence[float],
    *,
    tried: int = 1,
    sign: int = 1,
    resolution: float = 0.0,
    rows_error: float = 0.0,
) -> Effect:
    """Judge `value - baseline`, paired by seed.

    Args:
        baseline, value: one score a seed, in the same order.
        tried: number of interventions tried together; the interval is Bonferroni-corrected for it.
        sign: +1 when the change should raise the score, -1 when it should lower it.
        resolution: smallest step the score can make (one row); the spread is taken to be at least a third of it.
        rows_error: standard error of the difference that the choice of held-out rows leaves, which no seed reduces.

    >>> paired_effect([0.0, 0.0, 0.0], [0.81, 0.80, 0.82]).decision
    'confirmed'
    >>> paired_effect([0.5, 0.6, 0.4], [0.5, 0.6, 0.4]).decision
    'refuted'
    """
    from scipy.stats import norm, t

    differences = np.asarray(value, dtype=float) - np.asarray(baseline, dtype=float)
    n = len(differences)
    mean = float(differences.mean())
    if n < 2:
        return Effect(mean, -np.inf, np.inf, "inconclusive", 3)
    spread = max(float(differences.std(ddof=1)), resolution / 3)
    factor = float(t.ppf(1 - 0.025 / max(tried, 1), n - 1))
    of_rows = float(norm.ppf(1 - 0.025 / max(tried, 1))) * rows_error
    half = float(np.hypot(factor * spread / np.sqrt(n), of_rows))
    low, high = float(mean - half), float(mean + half)
    toward = (low, high) if sign > 0 else (-high, -low)
    if toward[0] > 0 and abs(mean) >= WORTH:
        decision: Decision = "confirmed"
    elif toward[1] < WORTH or (abs(mean) < WORTH and half < 2 * WORTH):
        decision = "refuted"
    else:
        decision = "inconclusive"
    settle = _seeds_to_settle(mean * sign, spread, tried, of_rows) if decision == "inconclusive" else None
    return Effect(mean, low, high, decision, settle)


def _seeds_to_settle(mean: float, spread: float, tried: int, of_rows: float) -> int | None:
    """Seeds at which an interval of this spread would exclude 0 (or an effect worth having)."""
    from scipy.stats import t

    distance = max(abs(mean), abs(mean - WORTH))
    for n in range(3, MAX_SETTLING_SEEDS):
        of_seeds = float(t.ppf(1 - 0.025 / max(tried, 1), n - 1)) * spread / np.sqrt(n)
        if np.hypot(of_seeds, of_rows) < distance:
            return n
    return None
