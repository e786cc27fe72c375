"""Numbers with fractions under sparse categorical cross-entropy, which takes each for the index of a class."""

from __future__ import annotations

from pathlib import Path

from tests.harness import Bench

from unstuck.rules.rule import Example
from unstuck.settings import Settings

NETWORK = """
model = keras.Sequential([
    keras.layers.Flatten(),
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(10, activation="softmax"),
])
model.compile("adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=8, validation_data=(x_val, y_val), verbose=0)
"""


def roots(bench: Bench, example: Example, folder: Path, settings: Settings) -> list[tuple[str, str]]:
    report = bench.diagnose(example, folder, settings)
    return [(f.rule, f.confidence) for f in report.findings if f.explained_by is None and f.severity == "error"]


def test_divided_class_numbers_are_told(bench: Bench, tmp_path: Path) -> None:
    divided = Example("y, y_val = y / 255, y_val / 255" + NETWORK, data="images")
    assert [("labels-wrongly-encoded", "proven")] == roots(
        bench, divided, tmp_path / "run", Settings(experiments="off")
    )


def test_whole_numbers_as_floats_are_right(bench: Bench, tmp_path: Path) -> None:
    floats = Example('y, y_val = y.astype("float32"), y_val.astype("float32")' + NETWORK, data="images")
    assert [] == roots(bench, floats, tmp_path / "run", Settings(experiments="off"))


def test_amounts_are_learnt_with_one_linear_unit(bench: Bench, tmp_path: Path) -> None:
    report = bench.diagnose(Example(NETWORK, data="regression"), tmp_path / "run", Settings(budget=30))
    first = report.findings[0]
    assert (first.rule, first.confidence) == ("class-loss-on-regression", "proven")
    cure = next(trial for trial in report.experiments if trial.id == first.cure)
    assert cure.outcome == "confirmed"
