"""Skill of the recorded network, and its loss recomputed from its predictions in NumPy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from unstuck.measure.case import Case
from unstuck.measure.data import Data
from unstuck.measure.replay import Replay
from unstuck.measure.setup import BINARY, CATEGORICAL, SPARSE, Setup
from unstuck.measure.task import CLIP, Task

ENOUGH_ROWS = 10
"""Held-out rows under which a score says next to nothing: one row more or less is a tenth."""
AT_CHANCE = 0.1
WORTH = 0.05
"""Smallest share of the constant answer's log loss that counts."""
PLAIN = frozenset({"binary_crossentropy", "categorical_crossentropy", "sparse_categorical_crossentropy"})
"""Losses that are the log loss, when no row counts more than another."""


@dataclass(frozen=True)
class Skill:
    """How much the final weights know.

    Attributes:
        train, held: skill on training and held-out rows (`Task.skill`); `held` is NaN when fewer than
            `ENOUGH_ROWS` rows were held out.
        initial_train is not recorded: see `Replay.moments` for losses.
        accuracy, held_accuracy: share of rows answered right, NaN unless the labels are classes.
        reported_loss: the loss Keras printed for the last epoch; evaluated_loss: `evaluate` on the training sample.
        recomputed_loss: the compiled loss computed from the predictions in NumPy; NaN for losses not known here.
        constant_loss: the same loss of the best constant answer.
        log_loss: `Task.log_loss_skill` on training rows; NaN unless that is what the compiled loss asks for.
        constant_output: whether every row gets the same answer.
    """

    train: float
    held: float
    accuracy: float
    held_accuracy: float
    reported_loss: float
    evaluated_loss: float
    recomputed_loss: float
    constant_loss: float
    log_loss: float
    constant_output: bool

    @classmethod
    def of(cls, case: Case) -> Self:
        data, task, replay, setup = case.get(Data), case.get(Task), case.get(Replay), case.get(Setup)
        logits = reading_activation(setup)
        train = task.read(replay.train_outputs, logits)
        held = task.read(replay.held_outputs, logits)
        n = len(replay.train_outputs)
        y, held_y = task.y[: len(train)], task.held_y[: len(held)]
        logs = case.fit.epochs[-1]["logs"] if case.fit.epochs else {}
        honest = data.held_kind != "holdout" and len(held) >= ENOUGH_ROWS
        spread = np.ptp(replay.held_outputs.reshape(len(replay.held_outputs), -1), axis=0) if len(held) else np.zeros(1)
        reported = logs.get("loss")
        plain = setup.loss.name in PLAIN and not setup.class_weight and "train-weight" not in case.fit.arrays
        return cls(
            train=task.skill(train, y),
            held=task.skill(held, held_y) if honest else float("nan"),
            accuracy=task.accuracy(train, y),
            held_accuracy=task.accuracy(held, held_y) if honest else float("nan"),
            reported_loss=float("nan") if reported is None else float(reported),
            evaluated_loss=replay.evaluated_loss,
            recomputed_loss=loss_value(setup, data.y[:n], replay.train_outputs),
            constant_loss=constant_loss(setup, task, data.y),
            log_loss=task.log_loss_skill(train, y) if plain else float("nan"),
            constant_output=bool(np.all(spread <= 1e-6 * (np.abs(replay.held_outputs).max(initial=0) + 1e-12))),
        )

    @property
    def unsure(self) -> bool:
        """Whether answers that are often right have a loss no better than one answer for all rows has."""
        return self.best > AT_CHANCE and self.log_loss < WORTH

    @property
    def worse_than_constant(self) -> bool:
        """Whether the training loss is higher than that of one answer for all rows."""
        return self.log_loss < -WORTH

    @property
    def best(self) -> float:
        """Held-out skill where there is any, else training skill."""
        return self.train if np.isnan(self.held) else self.held


def reading_activation(setup: Setup) -> str:
    """The activation that turns outputs into probabilities when the loss takes logits and the output is linear."""
    if not setup.loss.from_logits or setup.head.activation not in ("linear", ""):
        return ""
    return "sigmoid" if setup.loss.name in BINARY else "softmax"


def loss_value(setup: Setup, y: np.ndarray, outputs: np.ndarray) -> float:
    """The compiled loss from predictions, in float64 as Keras defines it; NaN for losses not known here.

    Args:
        y: targets as given to fit, (n, ...). outputs: as `predict` returns them, (n, ...).
    """
    name, logits = setup.loss.name, setup.loss.from_logits
    out = np.asarray(outputs, dtype=np.float64)
    target = np.asarray(y, dtype=np.float64)
    if len(out) != len(target) or not len(out):
        return float("nan")
    with np.errstate(all="ignore"):
        if name in ("mean_squared_error", "mean_absolute_error"):
            error = out.reshape(len(out), -1) - target.reshape(len(out), -1)
            return float((error**2 if name == "mean_squared_error" else np.abs(error)).mean())
        if name in BINARY and name == "binary_crossentropy":
            p = 1 / (1 + np.exp(-out)) if logits else out
            p = np.clip(p.reshape(len(p), -1), CLIP, 1 - CLIP)
            t = target.reshape(len(target), -1)
            return float(-(t * np.log(p) + (1 - t) * np.log(1 - p)).mean()) if t.shape == p.shape else float("nan")
        if name in SPARSE or name == "categorical_crossentropy":
            p = np.exp(out - out.max(-1, keepdims=True)) if logits else out
            p = np.clip(p / p.sum(-1, keepdims=True), CLIP, 1 - CLIP)
            if name in CATEGORICAL:
                return (
                    float(-(target.reshape(p.shape) * np.log(p)).sum(-1).mean())
                    if target.size == p.size
                    else float("nan")
                )
            labels = target.reshape(p.shape[:-1]).astype(int) if target.size * p.shape[-1] == p.size else None
            if labels is None or labels.min() < 0 or labels.max() >= p.shape[-1]:
                return float("nan")
            return float(-np.log(np.take_along_axis(p, labels[..., None], -1)).mean())
    return float("nan")


def constant_loss(setup: Setup, task: Task, targets: np.ndarray) -> float:
    """Loss of the best constant answer under the compiled loss: H(y), Var(y), mean absolute deviation.

    Args:
        targets: as given to fit, (n, ...).
    """
    if setup.loss.name in BINARY | CATEGORICAL | SPARSE and task.kind != "regression":
        return task.entropy
    if setup.loss.name == "mean_squared_error":
        y = targets.astype(float).reshape(len(targets), -1)
        return float(np.nanvar(y, axis=0).mean())
    if setup.loss.name == "mean_absolute_error":
        y = targets.astype(float).reshape(len(targets), -1)
        return float(np.nanmean(np.abs(y - np.nanmedian(y, axis=0))))
    return float("nan")
