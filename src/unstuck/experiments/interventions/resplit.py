"""The whole preparation of the data again, from the raw rows: split, transformers, network inputs."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from unstuck.experiments.base import kept_rows
from unstuck.experiments.experiment import Experiment
from unstuck.measure.data import Data
from unstuck.measure.leakage.provenance import Rerun, Stage
from unstuck.measure.task import Task

DRAW, SHUFFLE = 17, 23
"""Streams of the seed, so that the split and the shuffled labels of one seed are independent."""


@dataclass(frozen=True)
class Resplit:
    """Raw rows, labels and transformers, and how to make an experiment of them.

    For one seed, all variants share the split and the shuffled order, so differences between them are paired and
    the spread over seeds includes the luck of the split. Seed 0 keeps the recorded split; further seeds draw a new
    one of the same sizes, if the recorded one was drawn at random.

    Attributes:
        rerun: the preparation as it was recorded.
        train_y, held_y: targets as they are handed to the loss. train_labels: canonical labels (see `Task`).
    """

    rerun: Rerun
    train_y: np.ndarray = field(repr=False, compare=False)
    held_y: np.ndarray = field(repr=False, compare=False)
    train_labels: np.ndarray = field(repr=False, compare=False)

    @classmethod
    def of(cls, rerun: Rerun, data: Data, task: Task) -> Resplit:
        return cls(rerun, data.y, data.held_y, task.y)

    def leaky(self, *, supervised: bool) -> frozenset[int]:
        """Numbers of the stages that saw held-out rows and use labels, or do not."""
        stages = enumerate(self.rerun.stages)
        return frozenset(i for i, stage in stages if stage.leaky and stage.supervised == supervised)

    @property
    def redraws(self) -> bool:
        return self.rerun.shuffled

    def draw(
        self, experiment: Experiment, held_labels: np.ndarray, seed: int, *, honest: frozenset[int], shuffled: bool
    ) -> tuple[Experiment, np.ndarray]:
        """The experiment of one variant and one seed, and the canonical labels of its held-out rows.

        Args:
            experiment: the run as written, or a seeded subsample of it.
            held_labels: canonical labels of the recorded held-out rows.
            seed: of the split and of the shuffled order.
            honest: numbers of the stages to fit on training rows only. With all that use labels among them,
                nothing depends on held-out labels.
            shuffled: give every raw row the labels of another one, before anything else.

        Raises:
            ValueError: when the transformers give another number of columns than the network takes.
        """
        rows = np.concatenate([self.rerun.train, self.rerun.held])
        given = np.concatenate([_like(self.train_y, experiment.y), _like(self.held_y, experiment.y)])
        labels = np.concatenate([self.train_labels, held_labels])
        if shuffled:
            order = _shuffled(rows, np.random.default_rng([seed, SHUFFLE]))
            given, labels = given[order], labels[order]
        place = self._places(labels, seed)
        train, held = place[: len(self.rerun.train)], place[len(self.rerun.train) :]
        width = experiment.x[0].shape[1:]
        x = prepare(self.rerun, rows, labels, train, honest)
        x = _fitting(x, int(np.prod(width))).astype(experiment.x[0].dtype).reshape(-1, *width)
        kept = train[kept_rows(len(train), len(experiment.y))]
        changed: dict[str, Any] = {"x": (x[kept],), "held_x": (x[held],), "y": given[kept], "scored_y": labels[kept]}
        if experiment.weight is not None:
            before = self.train_labels[kept_rows(len(train), len(experiment.y))]
            changed["weight"] = class_weights(before, experiment.weight, labels[kept])
        return replace(experiment, **changed), labels[held]

    def _places(self, labels: np.ndarray, seed: int) -> np.ndarray:
        """Positions of the training, then of the held-out rows."""
        size, first = len(labels), len(self.rerun.train)
        if seed == 0 or not self.redraws:
            return np.arange(size)
        rng = np.random.default_rng([seed, DRAW])
        if not self.rerun.stratified or labels.ndim > 1:
            return rng.permutation(size)
        # Within each class the rows are spread evenly over [0, 1); the first ones make the training part.
        spread = np.empty(size)
        for value in np.unique(labels):
            own = rng.permutation(np.flatnonzero(labels == value))
            spread[own] = (np.arange(len(own)) + rng.random()) / len(own)
        order = np.argsort(spread, kind="stable")
        return np.concatenate([rng.permutation(order[:first]), rng.permutation(order[first:])])


def prepare(
    rerun: Rerun, rows: np.ndarray, labels: np.ndarray, train: np.ndarray, honest: frozenset[int]
) -> np.ndarray:
    """Inputs of the network for the raw rows `rows`, (len(rows), columns).

    Args:
        rerun: raw table and transformers.
        rows: rows of `rerun.raw`.
        labels: canonical labels of `rows`; transformers see only those of the rows they are fitted on.
        train: positions in `rows` that are training rows.
        honest: numbers of the stages to fit on training rows; the other leaky ones are fitted on all rows.
    """
    table: Any = rerun.raw[rows]
    if rerun.columns and len(rerun.columns) == rerun.raw.shape[1]:
        table = importlib.import_module("pandas").DataFrame(table, columns=list(rerun.columns))
    for number, stage in enumerate(rerun.stages):
        fitted_on = train if number in honest or not stage.leaky else np.arange(len(rows))
        table = _through(stage, table, labels, fitted_on)
    return np.asarray(table.toarray() if hasattr(table, "toarray") else table)


def _through(stage: Stage, table: Any, labels: np.ndarray, fitted_on: np.ndarray) -> Any:
    from sklearn.base import clone

    estimator = clone(stage.estimator)
    part = table.iloc[fitted_on] if hasattr(table, "iloc") else table[fitted_on]
    target = _column(labels[fitted_on]) if stage.labelled else None
    arguments = (part,) if target is None else (part, target)
    if not stage.at_once:
        return estimator.fit(*arguments).transform(table)
    own = estimator.fit_transform(*arguments)
    if not stage.supervised:
        return estimator.transform(table)
    out = np.array(_dense(estimator.transform(table)))
    out[fitted_on] = _dense(own)  # cross-fitted encoders treat the rows they were fitted on otherwise
    return out


def class_weights(before: np.ndarray, weight: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Class weights for other labels; weights that are not the same for a whole class stay where they are."""
    if before.ndim > 1 or any(np.ptp(weight[before == label]) > 0 for label in np.unique(before)):
        return weight
    table = {label: weight[before == label][0] for label in np.unique(before)}
    return np.array([table.get(label, 1.0) for label in after], dtype=weight.dtype)


def _dense(table: Any) -> np.ndarray:
    return np.asarray(table.toarray() if hasattr(table, "toarray") else table)


def _column(labels: np.ndarray) -> np.ndarray:
    return labels[:, 0] if labels.ndim == 2 and labels.shape[1] == 1 else labels


def _like(y: np.ndarray, sample: np.ndarray) -> np.ndarray:
    return y.astype(sample.dtype).reshape(len(y), *sample.shape[1:])


def _fitting(x: np.ndarray, width: int) -> np.ndarray:
    """`x` with `width` columns: missing ones are 0. More columns than the network takes are an error."""
    flat = x.reshape(len(x), -1)
    if flat.shape[1] > width:
        raise ValueError(f"the transformers give {flat.shape[1]} columns here, the network takes {width}")
    return np.pad(flat, ((0, 0), (0, width - flat.shape[1])))


def _shuffled(rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Positions whose labels each position gets: raw rows swap labels, so copies of a row keep equal ones."""
    _, first, inverse = np.unique(rows, return_index=True, return_inverse=True)
    return first[rng.permutation(len(first))][inverse]
