"""Class numbers for each step of a sequence, (rows, steps): neither one-hot rows nor one class a row."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.harness import Bench

from unstuck.rules.rule import Example
from unstuck.settings import Settings

TAGGER = """
rng = np.random.default_rng(0)
x, x_val = (rng.integers(1, 20, (n, 12)) for n in (600, 200))
y, y_val = x % 4, x_val % 4
model = keras.Sequential([
    keras.layers.Embedding(20, 16),
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(4, activation="softmax"),
])
model.compile(keras.optimizers.Adam({rate}), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, validation_data=(x_val, y_val), epochs=6, verbose=0)
"""


@pytest.mark.parametrize(("rate", "verdict", "roots"), [(0.02, "finished", []), (1e-7, "stuck", ["OPT102"])])
def test_skill_is_that_of_the_steps(rate: float, verdict: str, roots: list[str], bench: Bench, tmp_path: Path) -> None:
    report = bench.diagnose(Example(TAGGER.format(rate=rate)), tmp_path / "run", Settings(experiments="off"))
    assert (verdict, "multiclass") == (report.summary.verdict, report.fits[0].task)
    assert roots == [f.code for f in report.findings if f.severity == "error" and f.explained_by is None]
    assert "crashed" not in [result.outcome for result in report.rules]
    assert not [warning for warning in report.warnings if "failed" in warning]


def test_labels_of_steps_that_carry_no_signal_are_told(bench: Bench, tmp_path: Path) -> None:
    noise = TAGGER.replace(
        "y, y_val = x % 4, x_val % 4", "y, y_val = (rng.integers(0, 4, a.shape) for a in (x, x_val))"
    )
    report = bench.diagnose(Example(noise.format(rate=0.02)), tmp_path / "run", Settings(budget=60))
    assert "no-signal" == report.summary.verdict
    told = [f.rule for f in report.findings if f.explained_by is None and f.severity != "note"]
    assert ["no-signal"] == told
