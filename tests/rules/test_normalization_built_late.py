"""On JAX a Normalization layer that was not adapted cannot be built by the first step: fit ends, and we say why."""

from __future__ import annotations

from pathlib import Path

from tests.harness import Bench

from unstuck.rules.rule import Example
from unstuck.settings import Settings

CODE = """
normalise = keras.layers.Normalization()
{adapt}
model = keras.Sequential([normalise, keras.layers.Dense(8, activation="relu"), keras.layers.Dense(1)])
model.compile("adam", loss="mse")
model.fit(x, y.astype("float32"), epochs=2, verbose=0)
"""


def test_a_fit_that_jax_cannot_begin_is_traced_to_the_layer(bench: Bench, tmp_path: Path) -> None:
    report = bench.diagnose(Example(CODE.format(adapt="")), tmp_path / "a", Settings(experiments="off"))
    found = report.findings[0]
    assert ("normalization-not-adapted", "proven") == (found.rule, found.confidence)
    assert "UnexpectedTracerError" in found.evidence[0].text
    assert found.fix is not None
    assert [edit.text for edit in found.fix.edits] == ["normalise.adapt(x)\n"]


def test_an_adapted_layer_trains(bench: Bench, tmp_path: Path) -> None:
    code = CODE.format(adapt="normalise.adapt(x)")
    report = bench.diagnose(Example(code), tmp_path / "a", Settings(experiments="off"))
    assert 2 == report.fits[0].epochs
    assert "normalization-not-adapted" not in {finding.rule for finding in report.findings}
