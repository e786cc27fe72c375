"""Leaks that the rows do not show are told from the source of the script, without a price."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.harness import Bench

from unstuck.finding import Finding
from unstuck.rules.rule import Example
from unstuck.settings import Settings

BEGIN = """
import pandas as pd
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

x, y = np.concatenate([x, x_val]), np.concatenate([y, y_val])
"""
CHOSEN = """
chosen = SelectKBest(f_classif, k=10).fit_transform(x, y)
chosen = chosen / 3
a, a_val, b, b_val = train_test_split(chosen, y, test_size=0.25, random_state=0)
"""
HONEST = """
c, c_val, d, d_val = train_test_split(x, y, test_size=0.25, random_state=0)
selector = SelectKBest(f_classif, k=10).fit(c, d)
c, c_val = selector.transform(c) / 3, selector.transform(c_val) / 3
"""
MEANS = """
frame = pd.DataFrame({"city": np.arange(len(y)) // 4, "a": x[:, 0], "target": y})
frame["rate"] = frame.groupby("city")["target"].transform("mean")
a, a_val, b, b_val = train_test_split(frame[["a", "rate"]], frame["target"], test_size=0.25, random_state=0)
"""
FIT = """
model = keras.Sequential([keras.layers.Dense(8, activation="relu"), keras.layers.Dense(1, activation="sigmoid")])
model.compile("adam", loss="binary_crossentropy")
model.fit({x}, {y}, validation_data=({x}_val, {y}_val), epochs=3, verbose=0)
"""
LEAKY, CLEAN = FIT.format(x="a", y="b"), FIT.format(x="c", y="d")


NOISE = """
x, y = np.random.default_rng(0).normal(size=(200, 800)), np.random.default_rng(1).integers(0, 2, 200)
"""


def leaks(bench: Bench, folder: Path, code: str) -> list[Finding]:
    report = bench.diagnose(Example(BEGIN + code), folder, Settings(experiments="off"))
    return [f for f in report.findings if f.rule == "selection-before-split"]


@pytest.mark.parametrize("code", [CHOSEN, MEANS], ids=["rescaled afterwards", "means by hand"])
def test_what_only_the_source_says_is_likely_and_has_no_price(bench: Bench, tmp_path: Path, code: str) -> None:
    (found,) = leaks(bench, tmp_path / "run", code + LEAKY)
    assert ("warning", "likely", None) == (found.severity, found.confidence, found.worth)
    assert "what it costs was not measured" in found.conclusion
    line = (tmp_path / "run" / "train.py").read_text().splitlines()[found.location.line - 1]
    assert "fit_transform" in line or "transform(" in line
    assert found.flow


def test_what_was_done_right_stays_silent(bench: Bench, tmp_path: Path) -> None:
    assert [] == leaks(bench, tmp_path / "run", HONEST + CLEAN)


@pytest.mark.parametrize("clean", [0, 1])
def test_of_several_fits_the_one_that_the_flow_leads_to_is_told(bench: Bench, tmp_path: Path, clean: int) -> None:
    parts = [CHOSEN + LEAKY, HONEST + CLEAN]
    found = leaks(bench, tmp_path / "run", "".join(parts[::-1] if clean == 0 else parts))
    assert [1 - clean] == [f.fit for f in found]


def test_a_score_that_such_a_leak_may_have_made_is_not_called_healthy(bench: Bench, tmp_path: Path) -> None:
    fit = LEAKY.replace("epochs=3", "epochs=25")
    report = bench.diagnose(Example(BEGIN + NOISE + CHOSEN + fit), tmp_path / "run", Settings(experiments="off"))
    assert report.fits[0].held_out_skill > 0.2  # of labels that are drawn at random
    assert "misleading" == report.summary.verdict


def test_a_fault_of_ours_in_reading_the_source_is_a_line_of_the_report(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise KeyError("a node")

    monkeypatch.setattr("unstuck.diagnosis.from_source.seen_in", fails)
    report = bench.diagnose(Example(BEGIN + HONEST + CLEAN), tmp_path / "run", Settings(experiments="off"))
    assert [w for w in report.warnings if "the reading of the source failed: KeyError" in w]
    assert 1 == len(report.fits)
