"""Skill is the distance from the best constant answer, whatever the shares of the classes are in the rows scored."""

from __future__ import annotations

import numpy as np
import pytest

from unstuck.measure.task import Task

TRAIN = np.repeat([0, 1], [60, 40])
TASK = Task("binary", 2, TRAIN, TRAIN, np.array([0.6, 0.4]))
HELD = np.array([1, 1, 1, 0])
"""Held-out rows in which the rarer class is the frequent one by luck."""


def answers(classes: np.ndarray) -> np.ndarray:
    return np.eye(2)[classes]


def test_one_answer_for_all_rows_knows_nothing_even_where_it_happens_to_be_frequent() -> None:
    assert 0 == TASK.skill(answers(np.ones(4, dtype=int)), HELD)
    assert 0 == TASK.skill(answers(np.zeros(4, dtype=int)), HELD)
    assert 0 == TASK.skill(answers(np.zeros(100, dtype=int)), TRAIN)


def test_right_answers_are_worth_one_and_answers_that_differ_are_scored_by_the_rows_they_get_right() -> None:
    assert 1 == TASK.skill(answers(HELD), HELD)
    assert pytest.approx((1 / 4 - 1 / 4) / (3 / 4)) == TASK.skill(answers(np.array([0, 0, 1, 1])), HELD)
    assert pytest.approx(0.5) == TASK.skill(answers(np.where(np.arange(100) < 80, TRAIN, 0)), TRAIN)


def test_accuracy_does_not_see_how_sure_answers_are_but_the_log_loss_does() -> None:
    half, sure_and_wrong = np.full((100, 2), 0.5), answers(1 - TRAIN)
    assert pytest.approx(1 - np.log(2) / TASK.entropy) == TASK.log_loss_skill(half, TRAIN)
    assert pytest.approx(0) == TASK.log_loss_skill(np.tile([0.6, 0.4], (100, 1)), TRAIN)
    assert pytest.approx(1, abs=1e-5) == TASK.log_loss_skill(answers(TRAIN), TRAIN)
    assert -1 == TASK.log_loss_skill(sure_and_wrong, TRAIN)
