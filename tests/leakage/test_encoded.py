"""Label means of groups are recognised by the labels they were taken from, and taken again from training rows."""

from __future__ import annotations

import numpy as np
import pytest

from unstuck.experiments.experiment import Experiment
from unstuck.experiments.interventions.encode_again import EncodeAgain
from unstuck.measure.leakage.encoded import Encoded

ROWS, CUT = 600, 450


def means(group: np.ndarray, y: np.ndarray, prior_weight: float) -> np.ndarray:
    total, count = np.bincount(group, y, group.max() + 1), np.bincount(group, minlength=group.max() + 1)
    return (total + prior_weight * y.mean()) / np.maximum(count + prior_weight, 1e-9)


def table(seed: int, prior_weight: float, *, honest: bool) -> tuple[np.ndarray, np.ndarray]:
    """Noise, group numbers and their label means, scaled to float32; the means of training rows only if `honest`."""
    rng = np.random.default_rng(seed)
    group, y = rng.integers(0, 40, ROWS), rng.integers(0, 2, ROWS).astype(float)
    known = slice(0, CUT) if honest else slice(None)
    code = means(group[known], y[known], prior_weight)[group]
    scaled = ((code - code[:CUT].mean()) / code[:CUT].std()).astype("float32").astype(float)
    return np.column_stack([rng.normal(size=ROWS), group, scaled]), y


@pytest.mark.parametrize("prior_weight", [0.0, 2.0, 10.0])
def test_label_means_over_all_rows_are_recognised_and_those_of_training_rows_are_not(prior_weight: float) -> None:
    for seed in range(5):
        x, y = table(seed, prior_weight, honest=False)
        assert [2] == [c.column for c in Encoded.measure(x[:CUT], y[:CUT], x[CUT:], y[CUT:]).codes]
        x, y = table(seed, prior_weight, honest=True)
        assert () == Encoded.measure(x[:CUT], y[:CUT], x[CUT:], y[CUT:]).codes


def test_columns_that_stand_in_no_relation_to_the_labels_are_not_accused() -> None:
    rng = np.random.default_rng(0)
    rows, y = rng.integers(0, 30, (ROWS, 20)).astype(float), rng.normal(size=ROWS)
    copies = np.round(y, 1)[:, None]  # a column that is the label in disguise is another rule's
    x = np.concatenate([rows, copies], axis=1)
    assert () == Encoded.measure(x[:CUT], np.round(y, 1)[:CUT], x[CUT:], np.round(y, 1)[CUT:]).codes


def test_rows_that_were_repeated_to_balance_classes_are_no_groups_with_a_code() -> None:
    for seed in range(10):
        rng = np.random.default_rng(seed)
        x, y = rng.normal(size=(ROWS, 8)), (rng.random(ROWS) < 0.2).astype(float)
        rare = np.flatnonzero(y[:CUT])
        repeated = np.r_[np.arange(CUT), rng.choice(rare, 3 * len(rare))]
        assert () == Encoded.measure(x[repeated], y[repeated], x[CUT:], y[CUT:]).codes


@pytest.mark.parametrize("prior_weight", [0.0, 5.0])
def test_taken_again_from_training_rows_the_code_is_what_it_would_have_been(prior_weight: float) -> None:
    rng = np.random.default_rng(1)  # labels that are not whole: no two groups have the same code by chance
    group, y = rng.integers(0, 40, ROWS), rng.normal(size=ROWS)
    x = np.column_stack([rng.normal(size=ROWS), group, means(group, y, prior_weight)[group]])
    found = Encoded.measure(x[:CUT], y[:CUT], x[CUT:], y[CUT:])
    as_written = Experiment({}, {}, (x[:CUT],), y[:CUT], (x[CUT:],), 32, 1)
    again = EncodeAgain(found.codes, ("store",)).apply(as_written)
    total, count = np.bincount(group[:CUT], y[:CUT], 40), np.bincount(group[:CUT], minlength=40)
    expected = (total + prior_weight * y.mean()) / (count + prior_weight)
    assert np.allclose(expected[group[CUT:]], again.held_x[0][:, 2], atol=1e-6)
    assert np.array_equal(x[CUT:, :2], again.held_x[0][:, :2])


@pytest.mark.parametrize(("groups", "merged"), [(300, True), (40, False)])
def test_many_small_groups_of_whole_labels_share_their_means_and_are_not_told_apart(
    groups: int, *, merged: bool
) -> None:
    for seed in range(5):
        rng = np.random.default_rng(seed)
        group, y = rng.integers(0, groups, ROWS), rng.integers(0, 2, ROWS).astype(float)
        x = np.column_stack([rng.normal(size=ROWS), means(group, y, 0.0)[group]])
        assert [merged] == [c.merged for c in Encoded.measure(x[:CUT], y[:CUT], x[CUT:], y[CUT:]).codes]
