"""What is tried when there is time for a part of it only."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from unstuck.experiments.bench import Bench, Scores, key
from unstuck.experiments.interventions.learning_rate import ScaleLearningRate


@pytest.mark.parametrize(("left", "parts"), [(100.0, 1), (20.0, 4)])
def test_a_group_that_takes_longer_than_is_left_is_tried_one_change_at_a_time(left: float, parts: int) -> None:
    written: Any = SimpleNamespace(steps=10)
    nothing: Any = None
    bench = Bench(written, nothing, np.zeros(1), np.zeros(1), executor=nothing, until=time.monotonic() + left)
    bench.store[key(None)] = Scores(seeds=[0, 1, 2], training=9.0)  # 0.3 s a step
    changes = [ScaleLearningRate(factor) for factor in (0.1, 0.01, 10, 100)]
    group = [(change, seed, written, np.zeros(1)) for change in changes for seed in range(3)]
    found = bench._parts(group)
    assert parts == len(found)
    assert group == [entry for part in found for entry in part]
