"""`unstuck fix`, `repro` and `diff` on a really recorded run."""

from __future__ import annotations

import runpy
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.harness import Bench
from unstuck.cli import main
from unstuck.report import to_json
from unstuck.rules.softmax_on_one_unit import SoftmaxOnOneUnit
from unstuck.settings import Settings


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A judged run; its script is in its folder."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    bench = Bench()
    try:
        report = bench.diagnose(SoftmaxOnOneUnit.sick, folder, Settings(only=("softmax-on-one-unit",), budget=60))
    finally:
        bench.workers.close()
    (folder / "report.json").write_text(to_json(report))
    return folder


@pytest.fixture
def run(recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "run"
    shutil.copytree(recorded, folder)
    monkeypatch.chdir(folder)
    return folder


def test_fix_writes_the_tried_change_and_nothing_else(run: Path) -> None:
    before = (run / "train.py").read_text()
    refused = CliRunner().invoke(main, ["fix", "."])
    assert (1, before) == (refused.exit_code, (run / "train.py").read_text())
    shown = CliRunner().invoke(main, ["fix", ".", "--unsafe", "--diff"])
    assert before == (run / "train.py").read_text()
    assert 0 == CliRunner().invoke(main, ["fix", ".", "--unsafe"]).exit_code
    after = (run / "train.py").read_text()
    assert "softmax" not in after
    assert [f"-{line}" for line in before.splitlines() if line not in after.splitlines()] == [
        line for line in shown.stdout.splitlines() if line.startswith("-") and not line.startswith("---")
    ]


def test_fix_refuses_a_file_that_changed(run: Path) -> None:
    (run / "train.py").write_text("x = 1\n")
    result = CliRunner().invoke(main, ["fix", ".", "--unsafe"])
    assert (2, "x = 1\n") == (result.exit_code, (run / "train.py").read_text())
    assert "error[E020]" in result.stderr


@pytest.mark.filterwarnings("ignore")
def test_the_script_of_repro_shows_the_cause_and_the_cure(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = CliRunner().invoke(main, ["repro", "OUT101", "."])
    assert 0 == result.exit_code, result.stderr
    runpy.run_path(result.stdout.strip())
    written, changed = capsys.readouterr().out.splitlines()
    assert "weights moved by 0," in written
    assert "weights moved by 0," not in changed
    assert float(written.split()[-1]) < 0.7 < float(changed.split()[-1])


def test_repro_of_something_that_was_not_found_names_what_was(run: Path) -> None:
    result = CliRunner().invoke(main, ["repro", "dead-relu", "."])
    assert 2 == result.exit_code
    assert "it found softmax-on-one-unit" in result.stderr


def test_a_run_differs_in_nothing_from_itself(run: Path) -> None:
    result = CliRunner().invoke(main, ["diff", ".", "."])
    assert 0 == result.exit_code, result.stderr
    assert "The code is the same." in result.stdout
    assert "gone:" not in result.stdout
