"""Runs of several fits, and models of several outputs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.harness import Bench

from unstuck.measure.case import Case
from unstuck.measure.replay import Replay
from unstuck.measure.setup import Setup
from unstuck.record.recorded import read_run
from unstuck.report.fits import fit_lines
from unstuck.rules.rule import Example
from unstuck.settings import Settings

FOLDS = """
for rate in ({rates}):
    model = keras.Sequential([keras.layers.Dense(8, "relu"), keras.layers.Dense(1, "sigmoid")])
    model.compile(keras.optimizers.Adam(rate), loss="binary_crossentropy")
    model.fit(x, y, validation_data=(x_val, y_val), epochs=8, verbose=0)
"""
TWO_OUTPUTS = """
entry = keras.Input((x.shape[1],))
hidden = keras.layers.Dense(16, activation="relu", name="shared")(entry)
ends = {"score": keras.layers.Dense(1, activation="sigmoid", name="first"), "size": keras.layers.Dense(1, name="last")}
model = keras.Model(entry, {name: layer(hidden) for name, layer in ends.items()})
model.compile("adam", loss={"size": "mse", "score": "binary_crossentropy"}, metrics={"score": "accuracy"})
model.fit(x, {"score": y, "size": x.sum(axis=1)}, epochs=2, verbose=0)
"""
NAMED = """
left, right = keras.Input((20,), name="left"), keras.Input((10,), name="below")
hidden = keras.layers.Dense(32, activation="relu")(keras.layers.concatenate([left, right]))
size = keras.layers.Dense(1, name="size")(hidden)
kind = keras.layers.Dense(1, activation="sigmoid", name="kind")(hidden)
model = keras.Model({"left": left, "below": right}, {"size": size, "kind": kind})
model.compile(keras.optimizers.Adam(RATE), loss={"size": "mse", "kind": "binary_crossentropy"})
given = {"left": x[:, :20], "below": x[:, 20:]}
model.fit(given, {"size": x.mean(axis=1), "kind": y}, epochs=20, verbose=0)
"""
"""Neither the inputs nor the outputs stand in the order of their names, in which Keras makes lists of them."""
PENALISED = """
model = keras.Sequential([
    keras.layers.Dense(32, "relu", kernel_regularizer=keras.regularizers.L2(1.0)),
    keras.layers.Dense(32, "relu"),
    keras.layers.Dense(1, "sigmoid"),
])
model.compile(keras.optimizers.Adam(0.001), loss="binary_crossentropy")
model.fit(x, y, validation_data=(x_val, y_val), epochs=25, verbose=0)
"""


@pytest.mark.parametrize(("rates", "shared"), [("1e-6, 1e-6", True), ("1e-6, 2e-6", False)])
def test_fits_that_the_same_lines_made_are_tried_once(bench: Bench, tmp_path: Path, rates: str, shared: bool) -> None:  # noqa: FBT001
    report = bench.diagnose(Example(FOLDS.format(rates=rates)), tmp_path / "run", Settings(budget=120))
    first, second = (f for f in report.findings if f.rule == "learning-rate-too-low")
    assert first.experiments
    assert second.experiments
    assert shared == (first.experiments == second.experiments)
    assert {*first.experiments, *second.experiments} <= {t.id for t in report.experiments}


LOOP = """
model = keras.Sequential([keras.layers.Dense(16, activation="relu"), keras.layers.Dense(1, activation="sigmoid")])
model.compile(keras.optimizers.Adam(0.003), loss="binary_crossentropy")
for epoch in range(6):
    model.fit(x, y, epochs=1, verbose=0)
    model.evaluate(x_val, y_val, verbose=0)
"""


def test_of_a_loop_that_calls_fit_for_each_epoch_the_last_fit_counts(bench: Bench, tmp_path: Path) -> None:
    report = bench.diagnose(Example(LOOP), tmp_path / "run", Settings(experiments="off"))
    assert [True] * 5 + [False] == [fit.trained_on for fit in report.fits]
    assert report.fits[-1].sentence == report.summary.sentence
    assert "fit 1 of 6" not in "".join(fit_lines(report, width=200))
    assert "fit 1 of 6" in "".join(fit_lines(report, width=200, verbosity=1))


def test_models_made_anew_in_a_loop_count_each(bench: Bench, tmp_path: Path) -> None:
    anew = LOOP.replace("model = ", "for epoch in range(2):\n    model = ").replace(
        "model.compile", "    model.compile"
    )
    example = Example(anew.replace("for epoch in range(6):\n", ""))
    report = bench.diagnose(example, tmp_path / "run", Settings(experiments="off"))
    assert [False, False] == [fit.trained_on for fit in report.fits]


def test_the_first_output_is_the_one_that_is_judged(bench: Bench, tmp_path: Path) -> None:
    report = bench.diagnose(Example(TWO_OUTPUTS), tmp_path / "run", Settings(experiments="off"))
    run = read_run(tmp_path / "run")
    setup = Case(run, run.fits[0]).get(Setup)
    assert ("first", "binary_crossentropy") == (setup.head.layer.name, setup.loss.name)
    assert ["shared"] == [layer.name for layer in setup.hidden]
    assert "binary" == report.fits[0].task


def test_inputs_and_outputs_by_name_are_judged_in_the_order_that_keras_has_them(bench: Bench, tmp_path: Path) -> None:
    report = bench.diagnose(Example(NAMED.replace("RATE", "0.01")), tmp_path / "run", Settings(budget=60))
    assert [] == [f.rule for f in report.findings if f.severity != "note"]
    run = read_run(tmp_path / "run")
    case = Case(run, run.fits[0])
    setup = case.get(Setup)
    assert ("kind", "binary_crossentropy") == (setup.head.layer.name, setup.loss.name)
    last = run.fits[0].losses[-14:, 2].mean()
    assert case.get(Replay).evaluated_loss == pytest.approx(last, rel=0.3)


def test_a_model_of_named_inputs_is_tried(bench: Bench, tmp_path: Path) -> None:
    report = bench.diagnose(Example(NAMED.replace("RATE", "1e-7")), tmp_path / "run", Settings(budget=60))
    first = next(f for f in report.findings if f.explained_by is None)
    assert ("learning-rate-too-low", True) == (first.rule, bool(first.experiments))


def test_a_penalty_that_does_no_harm_is_told_as_a_note(bench: Bench, tmp_path: Path) -> None:
    report = bench.diagnose(Example(PENALISED), tmp_path / "run", Settings(budget=60))
    told = next(f for f in report.findings if f.rule == "weight-penalty-too-strong")
    assert ("note", "proven") == (told.severity, told.confidence)
    assert "of the loss is the weight penalty" in told.message


def test_types_that_numpy_does_not_know_are_kept_as_float32(tmp_path: Path) -> None:
    ml_dtypes = pytest.importorskip("ml_dtypes")
    from unstuck.record.store import Reader, Writer

    Writer(tmp_path).arrays("kept", {"half": np.ones(3, ml_dtypes.bfloat16), "whole": np.arange(3)})
    found = Reader(tmp_path).arrays("kept")
    assert ("float32", "int64") == (str(found["half"].dtype), str(found["whole"].dtype))
