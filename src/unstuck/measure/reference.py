"""Reference learners on the recorded rows: what is learnable, whatever the network did."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from unstuck.measure.case import Case, Missing
from unstuck.measure.data import Data
from unstuck.measure.features import Features, by_step, frequent
from unstuck.measure.task import Task

MAX_ROWS = 4_000
PERMUTATIONS = 500
SEED = 11
STRENGTHS = [0.001, 0.01, 0.1, 1.0]
"""Inverse penalties the linear learner chooses from by cross-validation, so that it does not memorise noise."""
TREES = 120
WIDE = 400
"""Columns that boosted trees look at: of more, those that tell most one by one, chosen on the rows they are fitted to.
Time grows with the columns: 240 rows of 10,000 take them 14 s."""
FEW_OUTPUTS = 8
"""Numbers to predict up to which each gets boosted trees of its own; of more one forest knows all."""
CLEAR = 0.01
"""p-value on the held-out rows alone that settles the question of signal."""
SIGNAL = 0.01
"""p-value below which the labels are taken to carry signal (after Bonferroni over the learners)."""


@dataclass(frozen=True)
class Learner:
    """One reference learner: held-out skill, and skill on the rows it was fitted to."""

    name: str
    held: float
    train: float


@dataclass(frozen=True)
class Reference:
    """What simple learners reach.

    Attributes:
        learners: a linear model and histogram gradient boosting, or a forest for many outputs, on the columns of
            `Features`.
        best: the best held-out skill; low, high: its 95 % bootstrap interval over held-out rows.
        linear: held-out skill of the linear one.
        p_value: chance that shuffled labels agree with the cross-validated answers as well (label-permutation null,
            Bonferroni over the learners). Small: there is signal.
        cross_validated: skill of the better learner by 5-fold cross-validation over all recorded rows, where the
            held-out rows alone did not settle the question; else the best held-out skill.
    """

    learners: tuple[Learner, ...]
    best: float
    low: float
    high: float
    linear: float
    p_value: float
    cross_validated: float
    rows: int
    by_step: bool = False
    """Whether they learnt the steps of sequences, each with its neighbours only: a network may well know more."""

    @classmethod
    def of(cls, case: Case) -> Self:
        data, task = case.get(Data), case.get(Task)
        if data.restores_inputs:
            raise Missing("targets that are not the inputs themselves: what is learnable depends on the bottleneck", "")
        steps = _steps(data, task)
        x, held_x, y = steps or _rows(case.get(Features), data, task)
        held_y = task.held_y
        if len(y) != len(x) or len(held_y) != len(held_x):
            raise Missing("one label a row (the targets are sequences)")
        if not task.is_classes:
            known, held_known = np.isfinite(y).all(axis=1), np.isfinite(held_y).all(axis=1)
            x, y, held_x, held_y = x[known], y[known], held_x[held_known], held_y[held_known]
        if len(x) < 20 or len(held_x) < 5:
            raise Missing("at least 20 training and 5 held-out rows")
        keep = np.random.default_rng(SEED).permutation(len(x))[:MAX_ROWS]
        with _quiet():
            measured: Self = _measure(cls, task, x[keep], y[keep], held_x[:MAX_ROWS], held_y[:MAX_ROWS])
            return replace(measured, by_step=steps is not None)

    @property
    def has_signal(self) -> bool:
        return self.p_value < SIGNAL


def _rows(features: Features, data: Data, task: Task) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Columns of the rows that are learnt from and of the held-out ones, and labels of the former."""
    return features.x[data.fit_rows], features.held_x, task.y[data.fit_rows]


def _steps(data: Data, task: Task) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """The same where each step of a sequence has a label; None elsewhere."""
    x, held = data.x[0], data.held_x[0]
    if len(data.x) > 1 or x.ndim < 2 or len(task.y) != x.shape[0] * x.shape[1] or x.shape[1:] != held.shape[1:]:
        return None
    tokens = frequent(x) if x.ndim == 2 and (x == np.round(x)).all() else None
    labels = task.y.reshape(x.shape[0], x.shape[1], *task.y.shape[1:])[data.fit_rows]
    return by_step(x[data.fit_rows], tokens), by_step(held, tokens), labels.reshape(-1, *task.y.shape[1:])


def _measure(cls: Any, task: Task, x: np.ndarray, y: np.ndarray, held_x: np.ndarray, held_y: np.ndarray) -> Any:
    learners, answers = [], []
    for name, make in _learners(task, x.shape[1], y[:1].size):
        model = make()
        if task.is_classes and len(np.unique(y)) < 2:
            continue
        model.fit(x, y)
        held = _answers(task, model, held_x)
        answers.append(held)
        learners.append(Learner(name, task.skill(held, held_y), task.skill(_answers(task, model, x), y)))
    if not learners:
        raise Missing("labels that vary")
    top = int(np.argmax([learner.held for learner in learners]))
    rng = np.random.default_rng(SEED)
    draws = [rng.integers(0, len(held_y), len(held_y)) for _ in range(200)]
    boot = [task.skill(answers[top][rows], held_y[rows]) for rows in draws]
    p, crossed = min(_permuted(task, out, held_y) for out in answers) * len(answers), learners[top].held
    if p > CLEAR:  # the held-out rows alone do not settle it: use all rows
        p, crossed = permutation_test(task, np.concatenate([x, held_x]), np.concatenate([y, held_y]))
    return cls(
        learners=tuple(learners),
        best=learners[top].held,
        low=float(np.quantile(boot, 0.025)),
        high=float(np.quantile(boot, 0.975)),
        linear=learners[0].held,
        p_value=min(1.0, p),
        cross_validated=crossed,
        rows=len(x) + len(held_x),
    )


def permutation_test(task: Task, x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """p-value of "the labels are exchangeable" given out-of-fold answers, and the skill of the better learner.

    The answers come from 5-fold cross-validation, so each is independent of its own label; the null distribution is
    the agreement with permuted labels. The better of the learners is taken and the p-value multiplied by their number.
    """
    from sklearn.model_selection import KFold

    found: list[tuple[float, float]] = []
    for _, make in _learners(task, x.shape[1], y[:1].size):
        out = np.zeros((len(x), task.classes if task.is_classes else y.shape[1]))
        for train, test in KFold(5, shuffle=True, random_state=SEED).split(x):
            if task.is_classes and len(np.unique(y[train])) < 2:
                return 1.0, 0.0
            with _quiet():
                model = make().fit(x[train], y[train])
                out[test] = _answers(task, model, x[test])
        found.append((_permuted(task, out, y), task.skill(out, y)))
    return min(1.0, min(p for p, _ in found) * len(found)), max(skill for _, skill in found)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without warnings and on one thread: threads that spin cost more than they bring here."""
    from threadpoolctl import threadpool_limits

    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore")
        yield


def _permuted(task: Task, answers: np.ndarray, y: np.ndarray) -> float:
    """Share of label permutations that agree with the answers as well as the labels do."""
    rng = np.random.default_rng(SEED)
    seen = _association(task, answers, y)
    null = [_association(task, answers, y[rng.permutation(len(y))]) for _ in range(PERMUTATIONS)]
    return (1 + sum(v >= seen for v in null)) / (1 + PERMUTATIONS)


def _association(task: Task, answers: np.ndarray, y: np.ndarray) -> float:
    if task.is_classes:
        centred = answers - answers.mean(axis=0)
        return float(centred[np.arange(len(y)), y].mean())
    return float(((answers - answers.mean(axis=0)) * (y - y.mean(axis=0))).mean())


def _learners(task: Task, columns: int, outputs: int) -> list[tuple[str, Any]]:
    from sklearn.ensemble import ExtraTreesRegressor, HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from sklearn.feature_selection import SelectKBest, f_classif, f_regression
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression, RidgeCV
    from sklearn.model_selection import GridSearchCV
    from sklearn.multioutput import MultiOutputRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    rounds = max(10, TREES // max(1, task.classes))  # one tree a class and round
    trees = {"max_iter": rounds, "max_leaf_nodes": 15, "random_state": SEED, "early_stopping": False}
    prepare = [SimpleImputer(keep_empty_features=True), StandardScaler()]

    def boosted(model: Any, score: Any) -> Any:
        return model if columns <= WIDE else make_pipeline(prepare[0], SelectKBest(_told(score), k=WIDE), model)

    if task.is_classes:
        return [
            (
                "linear",
                lambda: make_pipeline(*prepare, GridSearchCV(LogisticRegression(max_iter=200), {"C": STRENGTHS}, cv=3)),
            ),
            ("boosted trees", lambda: boosted(HistGradientBoostingClassifier(**trees), f_classif)),
        ]
    linear = ("linear", lambda: make_pipeline(*prepare, RidgeCV([1 / c for c in STRENGTHS])))
    if outputs > FEW_OUTPUTS:
        forest = {"n_estimators": TREES // 2, "min_samples_leaf": 3, "max_features": 1 / 3, "random_state": SEED}
        return [linear, ("random forest", lambda: make_pipeline(prepare[0], ExtraTreesRegressor(**forest)))]
    one = HistGradientBoostingRegressor(**trees)
    return [linear, ("boosted trees", lambda: MultiOutputRegressor(boosted(one, f_regression)))]


def _told(score: Any) -> Any:
    """Of each column how much it tells by itself, or its distance from its mean does."""
    return lambda x, y: np.fmax(score(x, y)[0], score((x - x.mean(axis=0)) ** 2, y)[0])


def _answers(task: Task, model: Any, x: np.ndarray) -> np.ndarray:
    if not task.is_classes:
        return np.asarray(model.predict(x)).reshape(len(x), -1)
    seen = model.predict_proba(x)
    out = np.zeros((len(x), task.classes))
    out[:, np.asarray(model.classes_, dtype=int)] = seen
    return out
