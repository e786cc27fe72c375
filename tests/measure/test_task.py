"""What is being learnt is read from the labels; the loss and the units decide where they leave it open."""

from __future__ import annotations

from typing import cast

import numpy as np
import pytest

from unstuck.measure.setup import Head, Layer, Loss
from unstuck.measure.task import Task, infer_kind

CLASSES = np.tile(np.arange(3), 20)


def head(units: int, activation: str = "softmax") -> Head:
    layer = cast(Layer, None)
    return Head(layer, units, activation, layer, ())


@pytest.mark.parametrize("loss", ["mean_squared_error", "mean_absolute_error"])
def test_whole_numbers_with_a_unit_for_each_are_classes_whatever_the_loss(loss: str) -> None:
    assert "multiclass" == infer_kind(CLASSES.astype("float32"), Loss(loss), head(3))
    assert "regression" == infer_kind(CLASSES.astype("float32"), Loss(loss), head(1))
    assert "regression" == infer_kind(CLASSES.astype("float32") * 2, Loss(loss), head(3))


def test_numbers_of_which_accuracy_is_asked_are_classes_though_one_unit_gives_them() -> None:
    loss, grades = Loss("mean_squared_error"), CLASSES.astype("float32")
    assert "multiclass" == infer_kind(grades, loss, head(1, "linear"), counted=True)
    assert "multiclass" == infer_kind(grades + 1, loss, head(1, "relu"), counted=True)
    assert "regression" == infer_kind(grades + 4, loss, head(1, "linear"), counted=True)
    assert "regression" == infer_kind(grades * 2, loss, head(1, "linear"), counted=True)
    assert "regression" == infer_kind(grades, loss, head(1, "sigmoid"), counted=True)


def test_one_number_for_all_classes_is_read_as_the_nearest() -> None:
    task = Task("multiclass", 3, CLASSES, CLASSES, np.full(3, 1 / 3))
    assert [0, 1, 2, 2] == task.read(np.array([[-4.0], [0.8], [1.6], [9.0]])).argmax(axis=1).tolist()
    assert task.skill(task.read(np.full((60, 1), np.nan)), CLASSES) == -1


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-1, 1), (1, 2), (0, 255)])
def test_two_whole_numbers_under_binary_crossentropy_are_two_classes(low: int, high: int) -> None:
    labels = np.where(CLASSES > 0, high, low).astype("float32")
    assert "binary" == infer_kind(labels, Loss("binary_crossentropy"), head(1))


def test_two_numbers_that_no_loss_calls_classes_are_numbers() -> None:
    assert "regression" == infer_kind(np.where(CLASSES > 0, 2.0, 1.0), Loss("mean_squared_error"), head(1))


@pytest.mark.parametrize("kind", ["binary", "imbalanced", "regression"])
def test_the_shares_of_the_rows_tell_how_far_skill_would_differ_on_other_rows(kind: str) -> None:
    rng, rows, draws = np.random.default_rng(0), 200, 300
    skills, errors = [], []
    for _ in range(draws):
        if kind == "regression":
            y = rng.normal(size=(rows, 1))
            task, answers = Task("regression", 0, y, y, np.zeros(1)), y + 0.7 * rng.normal(size=(rows, 1))
        else:
            share = 0.12 if kind == "imbalanced" else 0.4
            y = (rng.random(rows) < share).astype(int)
            answers = np.eye(2)[np.where(rng.random(rows) < 0.8, y, 1 - y)]
            task = Task("binary", 2, y, y, np.array([1 - share, share]))
        skills.append(task.skill(answers, y))
        shares = task.shares(answers, y)
        assert abs(shares.mean()) < 1e-9
        errors.append(shares.std(ddof=1) / np.sqrt(rows))
    assert np.mean(errors) == pytest.approx(np.std(skills), rel=0.15)


def test_answers_that_cannot_be_read_have_no_shares() -> None:
    task = Task("binary", 2, np.array([0, 1]), np.array([0, 1]), np.array([0.5, 0.5]))
    assert np.isnan(task.shares(np.full((2, 2), np.nan), np.array([0, 1]))).all()
