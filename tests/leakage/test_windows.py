"""Windows of a series are told from rows that only look alike."""

from __future__ import annotations

import numpy as np

from unstuck.measure.leakage.windows import linked


def test_shuffled_windows_are_put_in_order() -> None:
    rng = np.random.default_rng(0)
    series = rng.normal(size=520).astype("float32")
    windows = np.stack([series[i : i + 20] for i in range(500)])[rng.permutation(500)]
    found = linked(windows, 0.3)
    assert found is not None
    assert found[:2] == (1, False)
    assert (found[2] >= 0).mean() > 0.99


def test_windows_of_counts_are_windows() -> None:
    series = np.random.default_rng(0).poisson(20, 520).astype("float32")
    assert linked(np.stack([series[i : i + 12] for i in range(500)]), 0.3) is not None


def test_rows_of_small_whole_numbers_continue_others_by_chance_alone() -> None:
    rng = np.random.default_rng(0)
    assert linked(rng.integers(0, 60, (2000, 8)).astype("float32"), 0.3) is None
    assert linked(rng.poisson(30, (1200, 8)).astype("float32"), 0.3) is None
