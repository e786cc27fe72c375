"""Training and held-out rows pooled and split again: at random, by group, or by time with a gap."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from unstuck.experiments.base import kept_rows
from unstuck.experiments.experiment import Experiment
from unstuck.experiments.intervention import Intervention
from unstuck.experiments.interventions.resplit import class_weights
from unstuck.finding import Fix
from unstuck.measure.data import Data
from unstuck.measure.setup import Setup
from unstuck.measure.task import Task

DRAW = 29
"""Stream of the seed the split is drawn from; see `resplit.DRAW` for its neighbours."""

How = Literal["at random", "by group", "by time"]
TITLES: dict[How, str] = {
    "at random": "shuffle the rows once, before they are split",
    "by group": "split by group, so that no group is on both sides (GroupShuffleSplit, GroupKFold)",
    "by time": "split by time and leave a gap of one window between the parts",
}


@dataclass(frozen=True)
class Pool:
    """All rows, those of training first: the labels that trials score by, and the targets of held-out rows."""

    train_labels: np.ndarray = field(repr=False, compare=False)
    held_y: np.ndarray = field(repr=False, compare=False)

    @classmethod
    def of(cls, data: Data, task: Task) -> Pool:
        return cls(task.y, data.held_y)


@dataclass(frozen=True)
class SplitAgain(Intervention):
    """Draw the split anew for each seed, of the same sizes. Rows that may not train are replaced by others.

    Attributes:
        keys: one number a row, those of `Data.x` and then those of `Data.held_x`: its group, or its place in time.
            Empty for a split at random.
        gap: rows of training that are left out on each side of the held-out block of time.
        written: seed 0 keeps the recorded split (a baseline); otherwise every seed draws one.
        against_random: compare with splits at random, of which the recorded one is taken to be one.
    """

    pool: Pool
    how: How
    keys: np.ndarray = field(default_factory=lambda: np.zeros(0), repr=False, compare=False)
    gap: int = 0
    written: bool = False
    against_random: bool = True

    @property
    def label(self) -> str:
        if self.written:
            return "as written, new split for each seed"
        gap = f" with a gap of {self.gap}" if self.gap else ""
        return f"split again {self.how}{gap}"

    @property
    def baseline(self) -> Intervention | None:
        """The same kind of split as written, drawn as often, so that the luck of the split is on both sides."""
        if not self.against_random or self.how == "at random":
            return None
        return SplitAgain(self.pool, "at random", written=True)

    def apply(self, experiment: Experiment) -> Experiment:
        unknown = np.zeros((len(self.pool.held_y), *self.pool.train_labels.shape[1:]), self.pool.train_labels.dtype)
        return self.for_seed(experiment, unknown, 0)[0]

    def for_seed(self, experiment: Experiment, held_y: np.ndarray, seed: int) -> tuple[Experiment, np.ndarray]:
        if self.written and seed == 0:
            return experiment, held_y
        recorded, used = len(self.pool.train_labels), len(experiment.y)
        kept = kept_rows(recorded, used)
        labels = np.concatenate([self.pool.train_labels[kept], held_y])
        keys = np.concatenate([self.keys[:recorded][kept], self.keys[recorded:]]) if len(self.keys) else self.keys
        rng = np.random.default_rng([seed, DRAW])
        train, held = self._draw(keys, used, len(held_y), rng, last=seed == 0)
        given = self.pool.held_y.astype(experiment.y.dtype).reshape(len(held_y), *experiment.y.shape[1:])
        pooled = [np.concatenate(pair) for pair in zip(experiment.x, experiment.held_x, strict=True)]
        changed: dict[str, Any] = {
            "x": tuple(array[train] for array in pooled),
            "held_x": tuple(array[held] for array in pooled),
            "y": np.concatenate([experiment.y, given])[train],
            "scored_y": labels[train],
        }
        if experiment.weight is not None:
            changed["weight"] = class_weights(labels[:used], experiment.weight, labels[train])
        return replace(experiment, **changed), labels[held]

    def _draw(
        self, keys: np.ndarray, count: int, held: int, rng: np.random.Generator, *, last: bool
    ) -> tuple[np.ndarray, np.ndarray]:
        """Positions of the training and of the held-out rows among the pooled ones."""
        size = count + held
        if self.how == "at random":
            order = rng.permutation(size)
            return order[:count], order[count:]
        if self.how == "by group":
            chosen, free = whole_groups(keys, held, rng)
        else:
            order = np.argsort(keys, kind="stable")
            start = size - held if last else int(rng.integers(0, size - held + 1))
            chosen = order[start : start + held]
            free = np.concatenate([order[: max(0, start - self.gap)], order[start + held + self.gap :]])
        return filled(free, count, rng), chosen

    def edit(self, setup: Setup) -> Fix | None:
        return Fix(title=TITLES[self.how], applicability="sketch")

    def describe(self) -> dict[str, Any]:
        return {"type": "split-again", "how": self.how, "gap": self.gap, "written": self.written}


def whole_groups(groups: np.ndarray, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Positions of `count` rows of groups drawn at random, and those of all rows of the other groups."""
    names, inverse = np.unique(groups, return_inverse=True)
    order = np.argsort(rng.permutation(len(names))[inverse], kind="stable")
    chosen = order[:count]
    return chosen, np.flatnonzero(~np.isin(inverse, inverse[chosen]))


def filled(rows: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """`count` of `rows`; when there are fewer, some twice, so that the number of steps stays.

    Raises:
        ValueError: when no row is left to train on.
    """
    if not len(rows):
        raise ValueError("no row is left to train on")
    more = rng.choice(rows, max(0, count - len(rows)))
    return np.concatenate([rng.permutation(rows)[:count], more])
