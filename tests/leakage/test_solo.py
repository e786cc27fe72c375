from __future__ import annotations

import numpy as np
import pytest
from sklearn import datasets

from unstuck.measure.case import Missing
from unstuck.measure.leakage.solo import Solo
from unstuck.measure.task import Task

CLASSES = ["iris", "wine", "breast_cancer", "digits"]


def task(y: np.ndarray, kind: str) -> Task:
    if kind == "regression":
        table = np.asarray(y, float).reshape(len(y), -1)
        return Task("regression", 0, table, table[:5], table.mean(axis=0))
    y = np.asarray(y, int)
    classes = int(y.max()) + 1
    base = np.bincount(y, minlength=classes) / len(y)
    return Task("binary" if classes == 2 else "multiclass", classes, y, y[:5], base)


def solo(x: np.ndarray, y: np.ndarray, kind: str = "classes") -> Solo:
    return Solo.measure(x, task(y, kind))


def load(name: str) -> tuple[np.ndarray, np.ndarray]:
    return getattr(datasets, f"load_{name}")(return_X_y=True)


@pytest.mark.parametrize("name", CLASSES)
def test_no_column_of_a_bundled_data_set_is_taken_for_the_label(name: str) -> None:
    x, y = load(name)
    assert () == solo(x, y).copies
    assert () == tuple(c for k in np.unique(y) for c in solo(x, y == k).copies)


def test_no_column_of_the_diabetes_data_is_taken_for_the_target() -> None:
    x, y = load("diabetes")
    assert () == solo(x, y, "regression").copies


def test_no_column_is_taken_for_another_one_of_the_same_natural_table() -> None:
    flagged = []
    for name in ["iris", "wine", "breast_cancer", "diabetes"]:
        x, _ = load(name)
        for column in range(x.shape[1]):
            rest = np.delete(x, column, axis=1)
            flagged += [(name, column) for _ in solo(rest, x[:, column], "regression").copies]
    assert [] == flagged


@pytest.mark.parametrize("noise", [0.1, 0.3, 1.0])
def test_an_honest_strong_linear_predictor_is_not_a_copy(noise: float) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1000, 8))
    assert () == solo(x, 3 * x[:, 0] + 0.3 * x[:, 1] + noise * rng.normal(size=1000), "regression").copies


def test_a_threshold_on_a_natural_column_is_not_a_copy() -> None:
    x = np.random.default_rng(0).normal(size=(1000, 8))
    assert () == solo(x, x[:, 0] > 0).copies


def test_the_previous_value_of_a_random_walk_is_not_a_copy() -> None:
    walk = np.cumsum(np.random.default_rng(0).normal(size=2010))
    x = np.stack([walk[i : i + 2000] for i in range(9)], axis=1)
    found = solo(x, walk[9:2009], "regression")
    assert () == found.copies
    assert found.lag > 0.9


def test_random_tables_give_no_false_alarm() -> None:
    flagged = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        rows, columns = rng.integers(60, 600), rng.integers(2, 20)
        natural = rng.normal(size=(rows, columns))
        x = np.where(rng.random(columns) < 0.4, rng.integers(0, 3, (rows, columns)), natural)
        score = x @ rng.normal(size=columns)
        flagged += solo(x, score + 0.2 * score.std() * rng.normal(size=rows), "regression").copies
        flagged += solo(x, np.digitize(score, np.quantile(score, [0.4, 0.8]))).copies
    assert [] == flagged


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("disguise", [lambda y: y, lambda y: 7 - 2.5 * y, lambda y: np.log(y + 3.0)])
def test_the_class_on_another_scale_is_found(name: str, disguise) -> None:
    x, y = load(name)
    found = solo(np.column_stack([x, disguise(y)]), y).copies
    assert [(x.shape[1], "copy")] == [(c.index, c.kind) for c in found]


@pytest.mark.parametrize(
    ("disguise", "kind"),
    [
        (lambda y, _: y * 0.01 - 4, "copy"),
        (lambda y, _: np.float32(y) * np.float32(3.3), "copy"),
        (lambda y, _: np.log(y), "monotone copy"),
        (lambda y, _: -(y**3), "monotone copy"),
        (lambda y, rng: y + 0.01 * y.std() * rng.normal(size=len(y)), "noisy copy"),
    ],
)
def test_the_target_in_disguise_is_found(disguise, kind: str) -> None:
    x, y = load("diabetes")
    found = solo(np.column_stack([x, disguise(y, np.random.default_rng(0))]), y, "regression").copies
    assert [(10, kind)] == [(c.index, c.kind) for c in found]


def test_a_target_copied_into_part_of_the_rows_is_found() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(500, 5)), rng.normal(size=500)
    x[:200, 3] = y[:200]
    assert [(3, "partial copy")] == [(c.index, c.kind) for c in solo(x, y, "regression").copies]


def test_a_class_code_with_one_percent_of_errors_is_found_where_nothing_else_is_strong() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(500, 5)), rng.integers(0, 2, 500)
    x[:, 2] = np.where(rng.random(500) < 0.01, 1 - y, y)
    assert [(2, "noisy copy")] == [(c.index, c.kind) for c in solo(x, y).copies]


def test_forty_rows_are_too_few() -> None:
    with pytest.raises(Missing, match="at least 50"):
        solo(np.zeros((40, 2)), np.zeros(40))
