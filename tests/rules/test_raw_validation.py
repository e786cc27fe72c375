"""Validation rows that were not scaled as the training rows: said so, and nothing else is made of the low score."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.harness import Bench

from unstuck.rules.rule import Example
from unstuck.settings import Settings

RULE = "inference-preprocessing-differs"
NETWORK = """
model = keras.Sequential([
    keras.layers.Dense(32, activation="tanh"),
    keras.layers.Dense({units}, activation="softmax"),
])
model.compile(keras.optimizers.Adam(0.01), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, validation_data=(x_val, y_val), epochs=30, verbose=0)
"""
RAW = {
    "another unit": Example("x_val = 16 * x_val" + NETWORK.format(units=3), data="three-classes"),
    "iris, standardised": Example(
        "from sklearn.datasets import load_iris\n"
        "x, y = load_iris(return_X_y=True)\n"
        "x, x_val, y, y_val = train_test_split(x, y, random_state=0)\n"
        "x = StandardScaler().fit_transform(x)\n"
        "keras.utils.set_random_seed(1)\n" + NETWORK.format(units=3),
        data="three-classes",
    ),
}
ALIKE = {
    "scaled by the training rows": Example(NETWORK.format(units=3), data="three-classes"),
    "a few outliers": Example(
        "x[::200] *= 1e6\n" + NETWORK.format(units=3),
        data="three-classes",
    ),
    "one extreme validation row": Example(
        "x_val[0] *= 1e6\n" + NETWORK.format(units=3),
        data="three-classes",
    ),
    "a trend that goes on": Example(
        "x, x_val = x + np.linspace(0, 1, len(x))[:, None], x_val + 1.5\n" + NETWORK.format(units=3),
        data="three-classes",
    ),
}


@pytest.mark.parametrize("name", RAW)
def test_raw_validation_rows_are_told_and_not_taken_for_other_classes(name: str, bench: Bench, tmp_path: Path) -> None:
    report = bench.diagnose(RAW[name], tmp_path / "run", Settings(budget=30))
    assert [RULE] == [f.rule for f in report.findings if f.explained_by is None and f.severity != "note"]
    if report.fits[0].held_out_skill < 0.1:
        assert report.summary.verdict == "misleading"
        assert "another scale" in report.summary.sentence


@pytest.mark.parametrize("name", ALIKE)
def test_validation_rows_that_are_alike_or_drift_are_not(name: str, bench: Bench, tmp_path: Path) -> None:
    report = bench.diagnose(ALIKE[name], tmp_path / "run", Settings(experiments="off"))
    assert RULE not in [f.rule for f in report.findings]
