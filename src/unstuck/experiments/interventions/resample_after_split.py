"""The original rows split first, and each part balanced on its own by repetition."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from unstuck.experiments.base import kept_rows
from unstuck.experiments.experiment import Experiment
from unstuck.experiments.intervention import Intervention
from unstuck.experiments.interventions.split_again import Pool, SplitAgain
from unstuck.finding import Fix
from unstuck.measure.setup import Setup

DRAW = 53


@dataclass(frozen=True)
class ResampleAfterSplit(Intervention):
    """Without the rows that were made from others: split by origin, anew for each seed, then repeat rows of each part
    until every class has as many as it was trained and scored with.

    Attributes:
        made: for each row of `Data.x`, then of `Data.held_x`, whether it was made from others.
        groups: for each of them the number of its origin.
    """

    pool: Pool
    made: np.ndarray = field(repr=False, compare=False)
    groups: np.ndarray = field(repr=False, compare=False)

    @property
    def label(self) -> str:
        return "split first, balanced afterwards"

    @property
    def baseline(self) -> Intervention:
        return SplitAgain(self.pool, "at random", written=True)

    def apply(self, experiment: Experiment) -> Experiment:
        return self.for_seed(experiment, np.zeros(len(self.pool.held_y), self.pool.train_labels.dtype), 0)[0]

    def for_seed(self, experiment: Experiment, held_y: np.ndarray, seed: int) -> tuple[Experiment, np.ndarray]:
        recorded, used = len(self.pool.train_labels), len(experiment.y)
        rows = np.concatenate([kept_rows(recorded, used), recorded + np.arange(len(held_y))])
        labels = np.concatenate([self.pool.train_labels, held_y])[rows]
        rng = np.random.default_rng([seed, DRAW])
        held, train = self._split(rows, labels, len(held_y) / len(rows), rng)
        held = _balanced(held, labels, labels[used:], rng)
        train = _balanced(train, labels, labels[:used], rng)
        given = self.pool.held_y.astype(experiment.y.dtype).reshape(len(held_y), *experiment.y.shape[1:])
        pooled = [np.concatenate(pair) for pair in zip(experiment.x, experiment.held_x, strict=True)]
        changed: dict[str, Any] = {
            "x": tuple(array[train] for array in pooled),
            "held_x": tuple(array[held] for array in pooled),
            "y": np.concatenate([experiment.y, given])[train],
            "scored_y": labels[train],
        }
        return replace(experiment, **changed), labels[held]

    def _split(
        self, rows: np.ndarray, labels: np.ndarray, share: float, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Positions of original rows for the held-out and for the training part, `share` of each class held out."""
        held, train = [], []
        for label in np.unique(labels):
            own = np.flatnonzero((labels == label) & ~self.made[rows])
            _, first = np.unique(self.groups[rows][own], return_index=True)
            own = rng.permutation(own[first])
            cut = max(1, round(share * len(own)))
            held.append(own[:cut])
            train.append(own[cut:])
        return np.concatenate(held), np.concatenate(train)

    def edit(self, setup: Setup) -> Fix | None:
        title = "split first, and resample the training rows only"
        return Fix(
            title=title, applicability="sketch", alternative="imblearn.pipeline.Pipeline, or class_weight in fit"
        )

    def describe(self) -> dict[str, Any]:
        return {"type": "resample-after-split", "made": int(self.made.sum())}


def _balanced(rows: np.ndarray, labels: np.ndarray, like: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """`rows`, repeated or left out at random, so that each class has as many as in `like`, in random order."""
    parts = []
    for label, count in zip(*np.unique(like, return_counts=True), strict=True):
        own = rows[labels[rows] == label]
        if not len(own):
            raise ValueError(f"no original row of class {label} is left")
        parts.append(np.concatenate([own[:count], rng.choice(own, max(0, count - len(own)))]))
    return rng.permutation(np.concatenate(parts))
