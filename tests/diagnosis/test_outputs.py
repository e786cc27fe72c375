"""Models of several outputs: each is asked about by itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.harness import Bench

from unstuck.finding import Report
from unstuck.measure.case import Case
from unstuck.measure.contract import Contract
from unstuck.measure.outputs import by_output
from unstuck.measure.setup import Setup
from unstuck.measure.skill import Skill
from unstuck.measure.training.curve import Curve
from unstuck.record.recorded import read_run
from unstuck.rules.rule import Example
from unstuck.settings import Settings

THREE = """
kind = (x[:, 0] > 0).astype("int32") + (x[:, 1] > 0)
size = x[:, :3].sum(axis=1)
CHANGE
entry = keras.Input((x.shape[1],))
hidden = keras.layers.Dense(32, activation="relu", name="shared")(entry)
ends = [
    keras.layers.Dense(3, activation="softmax", name="kind")(hidden),
    keras.layers.Dense(1, activation="sigmoid", name="answer")(hidden),
    keras.layers.Dense(1, name="size")(hidden),
]
model = keras.Model(entry, ends)
model.compile(
    keras.optimizers.Adam(0.01),
    loss=["sparse_categorical_crossentropy", "binary_crossentropy", "mse"],
    metrics=[["accuracy"], ["accuracy"], ["mae"]],
)
model.fit(x, TARGETS, epochs=40, verbose=0)
"""
OFF = Settings(experiments="off")


def judged(bench: Bench, folder: Path, *changes: tuple[str, str], settings: Settings = OFF) -> Report:
    code = THREE
    for old, new in changes:
        assert old in code
        code = code.replace(old, new)
    code = code.replace("CHANGE", "").replace("TARGETS", "[kind, y, size]")
    return bench.diagnose(Example(code), folder, settings)


@pytest.mark.parametrize(
    ("output", "change", "rule"),
    [
        ("size", ('Dense(1, name="size")', 'Dense(1, activation="sigmoid", name="size")'), "bounded-output"),
        ("size", ('Dense(1, name="size")', 'Dense(1, activation="relu", name="size")'), "relu-output-negative-targets"),
        ("answer", ('"sigmoid"', '"softmax"'), "softmax-on-one-unit"),
        ("answer", ("TARGETS", "[kind, y + 1, size]"), "labels-wrongly-encoded"),
        ("kind", ("TARGETS", "[kind + 1, y, size]"), "labels-out-of-range"),
        ("size", ("CHANGE", "size[5] = np.nan"), "non-finite-targets"),
    ],
)
def test_what_is_wrong_with_one_output_is_told_by_its_name(
    bench: Bench, tmp_path: Path, output: str, change: tuple[str, str], rule: str
) -> None:
    report = judged(bench, tmp_path / "run", change)
    found = {f.rule: f for f in report.findings if f.explained_by is None and f.severity == "error"}
    assert rule in found
    assert output in found[rule].message or found[rule].scope.get("output") == output
    assert found[rule].fix is not None


@pytest.mark.parametrize("settings", [OFF, Settings(budget=30)], ids=["off", "tried"])
def test_nothing_is_wrong_with_outputs_that_learn(bench: Bench, tmp_path: Path, settings: Settings) -> None:
    report = judged(bench, tmp_path / "run", settings=settings)
    assert [] == [f.message for f in report.findings if f.severity != "note"]
    assert report.summary.verdict in ("healthy", "finished", "unfinished")


def test_an_output_that_learns_nothing_is_not_hidden_by_one_that_does(bench: Bench, tmp_path: Path) -> None:
    cut = ("hidden),\n]", "keras.ops.zeros_like(hidden)),\n]")
    report = judged(bench, tmp_path / "run", cut)
    assert "healthy" != report.summary.verdict
    assert "size" in report.summary.sentence


def test_an_output_alone_has_its_own_layers_labels_loss_and_curve(bench: Bench, tmp_path: Path) -> None:
    judged(bench, tmp_path / "run")
    run = read_run(tmp_path / "run")
    cases = dict(by_output(Case(run, run.fits[0])))
    assert ["kind", "answer", "size"] == list(cases)
    heads = {name: case.get(Setup).head.layer.name for name, case in cases.items()}
    assert {name: name for name in cases} == heads
    assert "mean_squared_error" == cases["size"].get(Setup).loss.name
    assert ["accuracy"] == list(cases["answer"].get(Setup).metrics)
    assert all(case.get(Contract).single for case in cases.values())
    skills = {name: case.get(Skill).train for name, case in cases.items()}
    assert min(skills.values()) > 0.5, skills
    curve, logs = cases["size"].get(Curve), [e["logs"]["size_loss"] for e in run.fits[0].epochs]
    assert np.allclose(curve.epochs, logs)


def test_an_output_whose_loss_counts_nothing_is_not_asked_about(bench: Bench, tmp_path: Path) -> None:
    judged(bench, tmp_path / "run", ("metrics=", "loss_weights=[1.0, 1.0, 0.0],\n    metrics="))
    run = read_run(tmp_path / "run")
    assert ["kind", "answer"] == [name for name, _ in by_output(Case(run, run.fits[0]))]


def test_a_term_that_drowns_the_first_output_is_convicted_by_a_trial_with_all_of_one_size(
    bench: Bench, tmp_path: Path
) -> None:
    report = judged(bench, tmp_path / "run", ("CHANGE", "size = 3000 * size"), settings=Settings(budget=30))
    found = next(f for f in report.findings if f.rule == "dominated-loss-term")
    assert "confirmed" == found.confidence
    assert found.message.startswith("the loss of size is ")
    assert found.fix is not None
    assert "loss_weights=[1," in found.fix.edits[0].text
