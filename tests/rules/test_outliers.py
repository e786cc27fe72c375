"""A few extreme values squash the other rows together: named, and rows that only look alike are called no copies."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.harness import Bench

from unstuck.rules.rule import Example
from unstuck.settings import Settings

RULE = "outliers-set-the-scale"
COPIES = {"overlapping-rows", "validation-is-training", "resampled-before-split", "contradictory-labels"}
PROGRAM = """
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import {scaler}

rng = np.random.default_rng(0)
{hurt}
x, x_val, y, y_val = train_test_split(x, y, test_size=0.25, random_state=0)
scaler = {scaler}().fit(x)
x, x_val = scaler.transform(x), scaler.transform(x_val)
model = keras.Sequential([
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile("adam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, validation_data=(x_val, y_val), epochs=15, verbose=0)
"""
SQUASHED = {
    "missing values as -9999": ("StandardScaler", "x[rng.random(x.shape) < 0.03] = -9999"),
    "one row in another unit": ("MinMaxScaler", "x[5] *= 1e6"),
    "float32 cannot tell rows apart": ("StandardScaler", "x[rng.random(x.shape) < 0.03] = 1e9"),
}


@pytest.mark.parametrize("name", SQUASHED)
def test_squashed_columns_are_the_cause_and_no_rows_are_copies(name: str, bench: Bench, tmp_path: Path) -> None:
    scaler, hurt = SQUASHED[name]
    example = Example(PROGRAM.format(scaler=scaler, hurt=hurt), data="raw")
    report = bench.diagnose(example, tmp_path / "run", Settings(budget=30))
    assert (RULE, "confirmed") == (report.findings[0].rule, report.findings[0].confidence)
    assert not COPIES & {f.rule for f in report.findings}


def test_one_extreme_row_is_no_cause(bench: Bench, tmp_path: Path) -> None:
    example = Example(PROGRAM.format(scaler="StandardScaler", hurt="x[5] *= 10"), data="raw")
    report = bench.diagnose(example, tmp_path / "run", Settings(budget=30))
    assert () == tuple(report.findings)
