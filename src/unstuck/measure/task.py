"""What is being learnt, inferred from the labels: the kind of task, the best constant answer, and skill against it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np

from unstuck.measure.case import Case, Missing
from unstuck.measure.code.own_code import OwnCode
from unstuck.measure.data import Data
from unstuck.measure.setup import BINARY, CATEGORICAL, SPARSE, Head, Loss, Setup

MAX_CLASSES = 1000
FEW_VALUES = 20
"""Integer labels with at most so many values are classes when nothing else decides."""
COUNTING = frozenset({"accuracy", "acc", "binary_accuracy", "sparse_categorical_accuracy"})
"""Metrics that count right answers, whatever the loss."""
UNBOUNDED = frozenset({"linear", "relu"})
IMBALANCED = 0.8
"""From this majority share on, skill is read from balanced accuracy: plain accuracy has no room left."""
WORST_SKILL = -1.0
"""Skill is clipped here, so that one exploded run does not drown a mean."""
CLIP = 1e-7
"""Keras clips probabilities to [1e-7, 1 - 1e-7] before the logarithm (keras.config.epsilon())."""

Kind = Literal["binary", "multiclass", "multilabel", "regression"]


@dataclass(frozen=True)
class Task:
    """The task in canonical labels.

    Attributes:
        kind: what the labels say; the loss decides only where they leave it open.
        classes: number of classes (labels a row for multilabel; 0 for regression).
        y, held_y: canonical labels: class numbers (n,), or float targets (n, k) for multilabel and regression.
        base: best constant answer on the training rows: class shares (classes,), or means (k,).
    """

    kind: Kind
    classes: int
    y: np.ndarray
    held_y: np.ndarray
    base: np.ndarray

    @classmethod
    def of(cls, case: Case) -> Self:
        data = case.get(Data)
        setup = case.find(Setup)
        own = case.find(OwnCode) if setup and setup.custom_train_step else None
        if own is not None and own.model is not None and own.model.ignores_labels:
            raise Missing("labels that say what is right (the loss of the model's own class does not read them)", "")
        y, held = data.y, data.held_y
        loss = setup.loss if setup else Loss("")
        counted = setup is not None and not COUNTING.isdisjoint(setup.metrics)
        kind = infer_kind(y, loss, setup.head if setup else None, counted=counted)
        if setup and loss.custom and kind in ("binary", "multiclass") and not _answers(setup.head, y, kind):
            raise Missing("outputs that can be read as classes (the loss is custom, and so is what they mean)", "")
        if kind in ("binary", "multiclass"):
            if loss.name in SPARSE and _numbers_steps(y, setup):
                y, held = y[..., None], held[..., None]
            canonical, held_canonical = to_classes(y), to_classes(held)
            high = int(canonical.max(initial=0))
            if kind == "binary" and (high > 1 or canonical.min(initial=0) < 0):  # labels -1 and 1, 1 and 2, 0 and 255
                canonical, held_canonical = (canonical >= high).astype(int), (held_canonical >= high).astype(int)
            if min(canonical.min(initial=0), held_canonical.min(initial=0)) < 0:
                raise Missing("class numbers from 0 up (some labels are negative)", "")
            classes = int(max(canonical.max(initial=0), held_canonical.max(initial=0), 1)) + 1
            if classes > MAX_CLASSES:
                raise Missing(f"labels with at most {MAX_CLASSES} classes")
            base = np.bincount(canonical, minlength=classes) / max(len(canonical), 1)
            return cls(kind, classes, canonical, held_canonical, base)
        canonical, held_canonical = _matrix(y), _matrix(held)
        base = np.nan_to_num(np.nanmean(canonical, axis=0))
        return cls(kind, canonical.shape[1] if kind == "multilabel" else 0, canonical, held_canonical, base)

    @property
    def is_classes(self) -> bool:
        return self.kind in ("binary", "multiclass")

    @property
    def entropy(self) -> float:
        """Log loss of the best constant answer, nats; NaN for regression."""
        p = self.base[(self.base > 0) & (self.base < 1)]
        if self.kind == "regression":
            return float("nan")
        if self.kind == "multilabel":
            return float(-(p * np.log(p) + (1 - p) * np.log(1 - p)).mean()) if len(p) else 0.0
        return float(-(p * np.log(p)).sum())

    @property
    def majority(self) -> float:
        """Share of the most frequent class; NaN unless the labels are classes."""
        return float(self.base.max()) if self.is_classes else float("nan")

    @property
    def variance(self) -> float:
        """Mean over outputs of the variance of the training targets; the squared error of predicting the mean."""
        return float(np.nanvar(self.y, axis=0).mean()) if not self.is_classes else float("nan")

    def read(self, outputs: np.ndarray, activation: str = "", scale: Any = 1.0, shift: Any = 0.0) -> np.ndarray:
        """Network outputs as class probabilities (n, classes), label probabilities (n, k) or targets (n, k).

        Args:
            outputs: (n, ...) as `predict` returns them.
            activation: `sigmoid` or `softmax` for outputs that are logits.
            scale, shift: affine map back to the units of the labels, for rescaled targets.
        """
        out: np.ndarray = np.asarray(outputs, dtype=np.float64)
        if self.is_classes:
            out = out.reshape(-1, out.shape[-1]) if out.ndim > 1 else out.reshape(-1, 1)
        else:
            out = out.reshape(len(out), -1)
        if activation == "sigmoid":
            out = 1 / (1 + np.exp(-np.clip(out, -60, 60)))
        elif activation == "softmax":
            e = np.exp(out - out.max(axis=-1, keepdims=True))
            out = e / e.sum(axis=-1, keepdims=True)
        out = out * scale + shift
        if not self.is_classes:
            return out
        if out.shape[1] == 1 and self.classes > 2:  # one number for all classes: the nearest is meant
            nearest = np.eye(self.classes)[np.clip(np.nan_to_num(out[:, 0]).round(), 0, self.classes - 1).astype(int)]
            return np.where(np.isfinite(out), nearest, np.nan)
        if out.shape[1] == 1:
            p = np.clip(out, 0, 1)
            return np.concatenate([1 - p, p], axis=1)
        return out

    def skill(self, answers: np.ndarray, y: np.ndarray) -> float:
        """Share of the distance from the best constant answer (0) to perfect (1) that `answers` cover.

        Classes: accuracy against the majority share, or balanced accuracy against 1/classes where one class has
        `IMBALANCED` of the rows or more; one answer for all rows is worth 0 at most. Multilabel: squared error of the
        probabilities. Regression: R2 against the training mean. Not finite answers count as the worst, `WORST_SKILL`.
        """
        answers = np.asarray(answers, dtype=np.float64)
        if not len(y) or not len(answers) or not np.isfinite(answers).all():
            return WORST_SKILL
        if self.is_classes:
            if len(answers) != len(y) or answers.shape[1] < 2:
                return WORST_SKILL
            answered = answers.argmax(axis=1)
            hit = answered == y
            if self.majority >= IMBALANCED:
                present = np.unique(y)
                score = float(np.mean([hit[y == c].mean() for c in present]))
                chance = 1 / max(len(present), 2)
            else:
                score, chance = float(hit.mean()), float(np.mean(y == int(self.base.argmax())))
            if (answered == answered[0]).all():
                score = min(score, chance)  # another class may be the frequent one in these rows by luck
            return max(WORST_SKILL, (score - chance) / max(1 - chance, 1e-9))
        if answers.shape != y.shape:
            if answers.size != y.size:
                return WORST_SKILL
            answers = answers.reshape(y.shape)
        kept = np.isfinite(y).all(axis=1)
        error = float(((answers - y)[kept] ** 2).mean())
        constant = float(((self.base - y)[kept] ** 2).mean())
        return max(WORST_SKILL, 1 - error / constant) if constant > 0 else (1.0 if error == 0 else WORST_SKILL)

    def shares(self, answers: np.ndarray, y: np.ndarray) -> np.ndarray:
        """What each row adds to `skill` beyond the mean, (n,): of other rows of that kind skill would differ by chance.

        Linear in the rows: the standard error of a skill, or of a difference of skills of the same rows, is the
        standard deviation of the shares, or of their differences, over the root of n. NaN where nothing can be read.
        """
        answers = np.asarray(answers, dtype=np.float64)
        fits = len(answers) == len(y) > 0 and (self.is_classes or answers.size == y.size)
        if not fits or not np.isfinite(answers).all():
            return np.full(len(y), np.nan)
        if self.is_classes:
            hit = (answers.argmax(axis=1) == y).astype(float)
            if self.majority >= IMBALANCED:
                counts = np.bincount(y, minlength=self.classes)
                chance = 1 / max(2, int(np.count_nonzero(counts)))
                within = np.bincount(y, weights=hit, minlength=self.classes) / np.maximum(counts, 1)
                return np.asarray((hit - within[y]) * len(y) * chance / counts[y] / (1 - chance))
            frequent = (y == int(self.base.argmax())).astype(float)
            left = max(1 - frequent.mean(), 1e-9)
            return np.asarray((hit - hit.mean() + (hit.mean() - 1) * (frequent - frequent.mean()) / left) / left)
        error = np.nansum((answers.reshape(y.shape) - y) ** 2, axis=1)
        constant = np.nansum((self.base - y) ** 2, axis=1)
        return np.asarray((constant * error.mean() / constant.mean() - error) / constant.mean())

    def log_loss_skill(self, answers: np.ndarray, y: np.ndarray) -> float:
        """McFadden's pseudo-R2: 1 - log loss / that of the best constant answer; NaN unless the labels are classes.

        Accuracy does not see how sure the answers are. Clipped at `WORST_SKILL`, as `skill` is.
        """
        constant = self.entropy
        if not self.is_classes or not constant > 0:
            return float("nan")
        if len(answers) != len(y) or not len(y) or not np.isfinite(answers).all():
            return WORST_SKILL
        shares = np.clip(answers, 0, None)
        right = shares[np.arange(len(y)), np.minimum(y, shares.shape[1] - 1)] / np.maximum(shares.sum(axis=1), CLIP)
        return max(WORST_SKILL, 1 + float(np.log(np.clip(right, CLIP, 1)).mean()) / constant)

    def accuracy(self, answers: np.ndarray, y: np.ndarray) -> float:
        """Share of rows answered right; NaN unless the labels are classes."""
        if not self.is_classes or len(answers) != len(y) or not np.isfinite(answers).all():
            return float("nan")
        return float((answers.argmax(axis=1) == y).mean())


def infer_kind(y: np.ndarray, loss: Loss, head: Head | None, *, counted: bool = False) -> Kind:
    """Kind of task from the labels; the loss decides only what they leave open.

    Args:
        y: targets as given to fit, (n, ...).
        counted: whether accuracy is asked for: then numbers from 0 or 1 up are classes, also where one unit gives them.
    """
    values = np.unique(y[np.isfinite(y)]) if y.dtype.kind == "f" else np.unique(y)
    whole = len(values) > 0 and bool(np.all(values == np.round(values)))
    zero_one = whole and bool(np.isin(values, (0, 1)).all())
    wide = y.ndim >= 2 and y.shape[-1] > 1
    if wide and loss.name not in SPARSE:
        if zero_one and (y.sum(axis=-1) == 1).mean() > 0.99:
            return "multiclass"
        if zero_one and (loss.name in BINARY or (y.sum(axis=-1) > 1).mean() > 0.01):
            return "multilabel"
        if loss.name in CATEGORICAL and zero_one:
            return "multiclass"
        return "regression"
    if loss.name in SPARSE:
        return (
            "binary"
            if zero_one and (head is None or (head.units or 2) <= 2)
            else "multiclass"
            if whole
            else "regression"
        )
    if zero_one or (whole and set(values.tolist()) == {-1, 1}):
        return "binary"
    units = head.units if head else None
    if loss.name in BINARY and whole and len(values) == 2 and units == 1:
        return "binary"
    if units and units > 2 and np.array_equal(values, np.arange(units)):  # a unit a class, whatever the loss
        return "multiclass"
    if loss.name in CATEGORICAL and whole and len(values) <= MAX_CLASSES:
        return "multiclass"
    from_start = 2 < len(values) <= FEW_VALUES and values[0] in (0, 1)
    numbered = from_start and np.array_equal(values - values[0], np.arange(len(values)))
    if counted and numbered and units == 1 and head and (head.activation in UNBOUNDED or loss.name in BINARY):
        return "multiclass"
    integer = y.dtype.kind in "biu"
    if (
        whole
        and integer
        and len(values) <= FEW_VALUES
        and values.min() >= 0
        and loss.name not in ("mean_squared_error", "mean_absolute_error", "huber")
    ):
        return "multiclass"
    return "regression"


def _answers(head: Head, y: np.ndarray, kind: Kind) -> bool:
    """Whether the output has a unit a class, or one for two classes."""
    classes = y.shape[-1] if y.ndim > 1 and y.shape[-1] > 1 else int(np.nan_to_num(y).max(initial=0)) + 1
    return head.units is None or head.units == classes or (kind == "binary" and head.units <= 2)


def _numbers_steps(y: np.ndarray, setup: Setup | None) -> bool:
    """Whether labels (n, steps) hold a class number for each step, and are no one-hot rows (n, classes)."""
    if y.ndim != 2 or y.shape[-1] == 1:
        return False
    shape = setup.layers[-1].output_shape if setup and setup.layers else None
    if shape is not None:
        return len(shape) == y.ndim + 1
    return not (np.isin(y, (0, 1)).all() and (y.sum(axis=-1) == 1).all())


def to_classes(y: np.ndarray) -> np.ndarray:
    """Class numbers (n,) from (n,), (n, 1) or one-hot (n, C) labels; sequences are flattened."""
    y = np.asarray(y)
    if y.ndim >= 2 and y.shape[-1] > 1:
        return np.asarray(y.reshape(-1, y.shape[-1]).argmax(axis=1))
    return np.asarray(np.nan_to_num(y.reshape(-1)).round().astype(int))


def _matrix(y: np.ndarray) -> np.ndarray:
    return np.asarray(y, dtype=np.float64).reshape(len(y), -1)
