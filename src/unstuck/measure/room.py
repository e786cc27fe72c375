"""Room for improvement: is there anything left to learn that the network has not learnt?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from unstuck.measure.case import Case
from unstuck.measure.data import Data
from unstuck.measure.reference import Reference
from unstuck.measure.skill import Skill

MARGIN = 0.05
"""A gap in skill smaller than this is not worth an accusation; 0.05 is 2.5 points of accuracy on balanced classes."""
SOLVED = 0.98


@dataclass(frozen=True)
class Room:
    """The gap between what the network reached and what the data allow.

    Attributes:
        reached: skill of the network on held-out rows (training rows when nothing was held out).
        learnable: best held-out skill of the reference learners, NaN when they could not be run.
        gap: learnable - reached, less the uncertainty of `learnable` (its lower bootstrap bound is used).
        exists: whether the gap exceeds `MARGIN`, or nothing is known about it and the network is at chance, or the loss
            is no better than that of a constant answer though the answers are.
    """

    reached: float
    learnable: float
    gap: float
    exists: bool

    @classmethod
    def of(cls, case: Case) -> Self:
        skill, data, reference = case.get(Skill), case.get(Data), case.find(Reference)
        reached = skill.best
        if reference is None or (reference.by_step and reference.best <= reached + MARGIN):
            return cls(reached, float("nan"), float("nan"), reached < 0.5 or skill.unsure)
        learnable = reference.best
        sd = (reference.high - reference.low) / 4
        gap = learnable - reached - (sd if np.isfinite(sd) else 0.0)
        if data.held_kind == "holdout":
            gap = max(gap, learnable - skill.train)
        return cls(reached, learnable, gap, (gap > MARGIN and reached < SOLVED) or skill.unsure)
