"""Inputs and labels that were split in two calls: the rows are followed to the labels they had."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from unstuck.measure.case import Missing
from unstuck.measure.labels.pairing import Pairing

X = np.random.default_rng(0).normal(size=(80, 3)).astype("float32")
Y = (X[:, 0] > 0).astype("float32")


def split_apart(program: Any, x_seed: int, y_seed: int, *, scaled: bool = False) -> Pairing:
    x, x_val = program.split(X, random_state=x_seed)
    y, y_val = program.split(Y, random_state=y_seed)
    if scaled:
        x, x_val = 3 * x - 1, 3 * x_val - 1
    return program.fit(x, y, x_val, y_val).get(Pairing)


@pytest.mark.parametrize("scaled", [False, True])
def test_two_seeds_give_rows_the_labels_of_others(program: Any, *, scaled: bool) -> None:
    found = split_apart(program, 0, 1, scaled=scaled)
    assert 60 == found.rows
    assert 20 < found.apart < 40


def test_the_same_seed_in_both_calls_keeps_every_label(program: Any) -> None:
    assert 0 == split_apart(program, 5, 5).apart


def test_one_call_for_both_is_no_case(program: Any) -> None:
    x, x_val, y, y_val = program.split(X, Y)
    with pytest.raises(Missing):
        program.fit(x, y, x_val, y_val).get(Pairing)


def test_equal_rows_are_left_out_of_the_count(program: Any) -> None:
    x, x_val = program.split(np.zeros((80, 3), "float32"), random_state=0)
    y, y_val = program.split(Y, random_state=1)
    assert 0 == program.fit(x, y, x_val, y_val).get(Pairing).rows


def test_every_row_finds_its_own_label_again(program: Any) -> None:
    x, x_val = program.split(X, random_state=0)
    y, y_val = program.split(Y, random_state=1)
    found = program.fit(3 * x, y, 3 * x_val, y_val).get(Pairing)
    given = np.concatenate([y, y_val])
    np.testing.assert_array_equal(x[:, 0] > 0, given[found.own])
    np.testing.assert_array_equal(x_val[:, 0] > 0, given[found.held_own])
