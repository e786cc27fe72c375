"""Fits that go on with the weights of the fold before, whose rows were trained on there."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

from unstuck.measure.leakage.folds import Folds


@pytest.mark.parametrize("scaled", [False, True])
def test_rows_that_an_earlier_fold_trained_on_are_known_also_when_each_fold_is_scaled_anew(program, scaled) -> None:
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(90, 6)), rng.integers(0, 2, 90)
    fold, weights = np.arange(90) % 3, [rng.normal(size=(6, 1)) for _ in range(3)]
    for k in range(2):
        train, held = fold != k, fold == k
        scaler = StandardScaler().fit(x[train])
        a, b = (scaler.transform(x[train]), scaler.transform(x[held])) if scaled else (x[train], x[held])
        case = program.fit(a, y[train], b, y[held], number=k, weights=weights[k : k + 2])
    assert Folds((0,), seen=30, held=30, new=30) == case.get(Folds)


def test_a_fold_that_begins_with_other_weights_goes_on_with_none(program) -> None:
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(90, 6)), rng.integers(0, 2, 90)
    for k in range(2):
        weights = [rng.normal(size=(6, 1)) for _ in range(2)]
        case = program.fit(x[:60], y[:60], x[60:], y[60:], number=k, weights=weights)
    assert Folds((), seen=0, held=30, new=0) == case.get(Folds)
