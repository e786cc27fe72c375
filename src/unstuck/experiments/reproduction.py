"""Reproduce first: whether the run as written, repeated, shows what was recorded."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from unstuck.experiments.experiment import Experiment, layer_configs
from unstuck.measure.case import Case
from unstuck.measure.data import Data
from unstuck.measure.setup import Setup
from unstuck.measure.skill import Skill

TOLERANCE = 0.15
"""Largest difference in skill between the recorded run and its repetition that still counts as the same symptom."""
AT_CHANCE = 0.1
STEPS = 50
"""Steps over which losses are compared one by one; rounding grows from step to step."""
SAME = 0.01
"""Largest relative difference of a step's loss where weights and batches are the same. Measured: below 1e-4 over 50
steps (`make quality ONLY=engine`), with room for optimisers that divide by small numbers."""
RANDOM_LAYERS = ("Dropout", "Gaussian", "Random", "Noise")


@dataclass(frozen=True)
class Recorded:
    """What the recorded run showed.

    Attributes:
        train, held: skill, NaN where it is not known. losses: (steps,) where the repetition sees the same weights and
            batches, else empty. raised: whether the recorded fit ended in an exception.
    """

    train: float = float("nan")
    held: float = float("nan")
    losses: np.ndarray = field(default_factory=lambda: np.zeros(0))
    raised: bool = False

    @classmethod
    def of(cls, case: Case, experiment: Experiment) -> Recorded:
        skill = case.find(Skill)
        return cls(
            train=skill.train if skill else float("nan"),
            held=skill.held if skill else float("nan"),
            losses=case.fit.losses[:STEPS, 2] if _same_batches(case, experiment) else np.zeros(0),
            raised=case.fit.end.get("status") == "raised",
        )

    def missed_by(self, held: list[float], train: list[float]) -> str:
        """How far the repetition's skills, one a seed, are off; "" when they show the same."""
        recorded, found, name = self.held, held, "held-out skill"
        if not np.isfinite(recorded):
            recorded, found, name = self.train, train, "train skill"
        if not np.isfinite(recorded):
            return ""
        spread = float(np.std(found)) if len(found) > 1 else 0.0
        near = min(abs(v - recorded) for v in found) <= max(TOLERANCE, 2 * spread)
        both_low = recorded <= AT_CHANCE and float(np.median(found)) <= AT_CHANCE
        if near or both_low:
            return ""
        again = f"{np.mean(found):.2f} on average of {len(found)} repetitions"
        return f"{name} was {recorded:.2f} in the recorded run and {again}"

    def off_by(self, losses: np.ndarray) -> float | None:
        """Largest relative difference of the first steps' losses; None where batches are drawn anew.

        Args:
            losses: of the repetition that starts from the recorded weights, (steps,).
        """
        count = min(len(losses), len(self.losses))
        mine, theirs = losses[:count], self.losses[:count]
        usable = np.isfinite(theirs)
        if not usable.any():
            return None
        scale = np.maximum(np.abs(theirs[usable]), 1e-3 * np.abs(theirs[usable]).max() + 1e-6)
        return float(np.nan_to_num(np.abs(mine[usable] - theirs[usable]) / scale, nan=np.inf).max())


def _same_batches(case: Case, experiment: Experiment) -> bool:
    """Whether the repetition trains from the recorded weights on the recorded batches, without random layers."""
    data, setup = case.get(Data), case.get(Setup)
    random = any(word in layer["class_name"] for layer in layer_configs(experiment.model) for word in RANDOM_LAYERS)
    in_order = not experiment.shuffle or experiment.batch_size >= len(experiment.y)
    whole = data.rows == len(data.y) == len(experiment.y) and not case.fit.body["train"].get("stream")
    return experiment.initial is not None and in_order and whole and not random and not setup.custom_train_step
