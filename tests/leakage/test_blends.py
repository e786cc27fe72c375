"""Rows between two others: all are found, also where rows that were made hide the ones they were made of."""

from __future__ import annotations

import numpy as np
from tests.quality.leakage.planted import smote

from unstuck.measure.leakage.resampled import _blended


def test_every_blend_is_found_and_no_original_is_called_one():
    rng = np.random.default_rng(0)
    common, rare = rng.normal(size=(300, 8)), rng.normal(size=(40, 8)) + 1
    made = smote(rare, 260, rng)
    table = np.concatenate([common, rare, made]).astype(np.float32).astype(np.float64)
    labels = np.repeat([0, 1, 1], [300, 40, 260])
    found, classes = _blended(table, labels)
    assert (1,) == classes
    assert not found[:340].any()
    assert found[340:].mean() > 0.98


def test_rows_of_a_cloud_are_no_blends():
    rng = np.random.default_rng(1)
    found, classes = _blended(rng.normal(size=(600, 8)), rng.integers(0, 2, 600))
    assert (0, ()) == (found.sum(), classes)
