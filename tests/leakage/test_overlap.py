from __future__ import annotations

import numpy as np
import pytest
from sklearn import datasets

from unstuck.measure.case import Missing
from unstuck.measure.data import Data
from unstuck.measure.leakage.overlap import Overlap
from unstuck.measure.task import Task
from unstuck.rules.overlapping_rows import OverlappingRows
from unstuck.rules.rule import Cleared, Suspect

SETS = ["iris", "wine", "breast_cancer", "digits", "diabetes"]


class NoSources:
    def __getattr__(self, name):
        return lambda *_, **__: None


class NoSetup(NoSources):
    sites = {"fit": None}
    sources = NoSources()


def judge(case):
    return OverlappingRows().check(case.get(Overlap), case.get(Data), case.get(Task), NoSetup())


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("seed", range(4))
def test_the_bundled_data_sets_split_at_random_are_cleared(program, name: str, seed: int) -> None:
    x, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    a, b, c, d = program.split(x, y, random_state=seed)
    assert isinstance(judge(program.fit(a, c, b, d)), Cleared)


@pytest.mark.parametrize("name", SETS)
def test_a_tenth_of_the_held_out_rows_copied_into_training_is_found(program, name: str) -> None:
    x, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    a, b, c, d = program.split(x, y)
    copied = max(4, len(b) // 10)
    a, c = np.concatenate([a, b[:copied]]), np.concatenate([c, d[:copied]])
    case = program.fit(a, c, b, d)
    overlap = case.get(Overlap)
    assert copied <= overlap.matches <= copied + 1
    assert overlap.matches == overlap.same_label
    assert set(range(len(a) - copied, len(a))) <= set(overlap.rows.tolist())
    assert isinstance(judge(case), Suspect) or overlap.discrete


def test_copies_with_another_label_are_told_apart(program) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(100, 5)), rng.integers(0, 2, 100)
    case = program.fit(np.concatenate([x[:80], x[80:90]]), np.concatenate([y[:80], 1 - y[80:90]]), x[80:], y[80:])
    overlap = case.get(Overlap)
    assert (10, 0, 10) == (overlap.matches, overlap.same_label, overlap.different_label)


@pytest.mark.parametrize("values", [2, 3])
@pytest.mark.parametrize("columns", [2, 4, 6])
def test_doubles_in_a_table_of_few_distinct_rows_are_natural(program, values: int, columns: int) -> None:
    rng = np.random.default_rng(values * 10 + columns)
    x, y = rng.integers(0, values, size=(400, columns)), rng.integers(0, 2, 400)
    a, b, c, d = program.split(x, y)
    case = program.fit(a, c, b, d)
    assert case.get(Overlap).matches > 0
    assert isinstance(judge(case), Cleared)


def test_a_table_written_twice_before_the_split_is_found(program) -> None:
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(100, 4)), rng.integers(0, 2, 100)
    a, b, c, d = program.split(np.tile(x, (2, 1)), np.tile(y, 2))
    overlap = program.fit(a, c, b, d).get(Overlap)
    assert overlap.matches > 25
    assert overlap.excess == overlap.matches


def test_rows_of_zeros_are_not_copies(program) -> None:
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(100, 4)), rng.integers(0, 2, 100)
    x[::3] = 0
    assert 0 == program.fit(x[:80], y[:80], x[80:], y[80:]).get(Overlap).matches


def test_without_held_out_rows_there_is_nothing_to_compare(program) -> None:
    rng = np.random.default_rng(1)
    with pytest.raises(Missing, match="held-out rows"):
        program.fit(rng.normal(size=(80, 3)), rng.integers(0, 2, 80), None, None).get(Overlap)
