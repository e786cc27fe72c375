"""What trials of a fit begin with, where some of its weights were trained before."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.harness import Bench

from unstuck.experiments.base import as_written
from unstuck.experiments.building import initial_weights
from unstuck.measure.case import Case
from unstuck.record.recorded import read_run
from unstuck.rules.rule import Example
from unstuck.settings import Settings

TWO_STAGES = """
base = keras.Sequential([keras.Input((30,)), keras.layers.Dense(16, activation="relu", name="features")])
before = keras.Sequential([base, keras.layers.Dense(1, activation="sigmoid", name="first")])
before.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy")
before.fit(x, y, epochs=4, verbose=0)
base.trainable = False
model = keras.Sequential([base, keras.layers.Dropout(0.2), keras.layers.Dense(1, activation="sigmoid", name="second")])
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy")
model.fit(x, y, validation_data=(x_val, y_val), epochs=2, verbose=0)
model.fit(x, y, validation_data=(x_val, y_val), epochs=2, verbose=0)
"""


@pytest.fixture(scope="module")
def cases(tmp_path_factory) -> list[Case]:
    folder: Path = tmp_path_factory.mktemp("stages") / "run"
    bench = Bench()
    bench.diagnose(Example(TWO_STAGES), folder, Settings(experiments="off"))
    bench.workers.close()
    run = read_run(folder)
    return [Case(run, fit) for fit in run.fits]


def test_seeds_keep_what_was_trained_and_draw_what_an_initialiser_drew(cases):
    first, tuned, longer = (as_written(case) for case in cases)
    assert not first.kept
    assert {name.split("/")[-2] for name in tuned.kept} == {"features"}
    assert {name.split("/")[-2] for name in longer.kept} == {"features", "second"}


def test_the_trained_part_is_the_same_for_every_seed(cases):
    tuned = as_written(cases[1])
    one, other = (initial_weights(replace(tuned, initial=None), seed) for seed in (1, 2))
    recorded = tuned.initial
    same = [np.array_equal(a, b) for a, b in zip(one, other, strict=True) if a.dtype.kind == "f" and np.ptp(a) > 0]
    assert sorted(same) == [False, True, True]
    assert any(np.array_equal(a, b) and np.ptp(a) > 0 for a, b in zip(one, recorded, strict=True))
