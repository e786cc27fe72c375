"""Traces of scaling by all rows: from the rows, and from moments of the columns where the record holds a sample."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from unstuck.measure.case import Case, Missing
from unstuck.measure.data import Data
from unstuck.measure.leakage.union_fit import UnionFit
from unstuck.record.sample import MAX_ROWS, sample_arrays

ROWS = MAX_ROWS + 12_000


def scaled(by: str) -> Case:
    """A case of ROWS rows of which the last quarter is held out, as the recorder keeps it."""
    rng = np.random.default_rng(0)
    x, cut = rng.gamma(2.0, size=(ROWS, 4)) + 5, ROWS * 3 // 4
    own = x if by == "all rows" else x[:cut]
    x = ((x - own.mean(axis=0)) / own.std(axis=0)).astype(np.float32)
    labels = np.zeros(ROWS, np.float32)
    train, arrays = sample_arrays("train", x[:cut], labels[:cut], None, values=True)
    held, more = sample_arrays("held", x[cut:], labels[cut:], None, values=True)
    fit = SimpleNamespace(arrays=arrays | more, body={"train": train, "held": held}, evaluations=())
    return Case(SimpleNamespace(events=()), fit)


def test_moments_over_all_rows_tell_who_was_scaled_with_whom():
    assert ("mean and deviation", ROWS) == ((found := UnionFit.of(scaled("all rows"))).kind, found.rows)
    assert "" == UnionFit.of(scaled("training rows")).kind


def test_without_moments_a_sample_says_nothing():
    case = scaled("all rows")
    for about in case.get(Data).stats["x"]:
        del about["by_column"]
    with pytest.raises(Missing, match="sample"):
        UnionFit.of(case)
