"""Notebooks, pytest, TensorBoard, MLflow, Weights & Biases, pre-commit: the report where people already look."""

from __future__ import annotations

import os
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import pytest

import unstuck
from unstuck import loggers
from unstuck.finding import Finding, Fit, Report, Run, Summary, Tool
from unstuck.report import to_json

pytest_plugins = ["pytester"]
FINDING = Finding(
    rule="dead-relu",
    code="GRD101",
    fingerprint="v1:1",
    severity="error",
    confidence="proven",
    message="no unit is ever active",
)
REPORT = Report(
    schema="report-1",
    tool=Tool(name="unstuck", version="0"),
    run=Run(id="r", steps=75),
    summary=Summary(error=1, sentence="It is stuck.", verdict="stuck"),
    fits=(Fit(index=0, verdict="stuck", sentence="", held_out_skill=0.25),),
    findings=(FINDING,),
)
NUMBERS = {"unstuck/errors": 1.0, "unstuck/warnings": 0.0, "unstuck/held_out_skill": 0.25}


class Client(types.ModuleType):
    """Stands for mlflow or wandb; what it was given is kept."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.given: dict[str, Any] = {}
        self.run: Any = types.SimpleNamespace(summary={})

    def log_metrics(self, values: dict[str, float]) -> None:
        self.given |= values

    def set_tag(self, name: str, value: str) -> None:
        self.given[name] = value

    def log_text(self, text: str, name: str) -> None:
        self.given[name] = text

    def log(self, values: dict[str, Any]) -> None:
        self.given |= values

    def Html(self, path: str, inject: bool) -> str:  # noqa: N802, FBT001
        return Path(path).read_text()


def test_mlflow_gets_numbers_verdict_page_and_json(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client("mlflow")
    monkeypatch.setitem(sys.modules, "mlflow", client)
    loggers.mlflow(REPORT)
    assert client.given.items() >= NUMBERS.items()
    assert "stuck" == client.given["unstuck.verdict"]
    assert client.given["unstuck/report.html"].startswith("<!doctype html>")
    assert '"dead-relu"' in client.given["unstuck/report.json"]


def test_wandb_gets_numbers_and_the_page_as_a_panel(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client("wandb")
    monkeypatch.setitem(sys.modules, "wandb", client)
    loggers.wandb(REPORT)
    assert client.given.items() >= NUMBERS.items()
    assert "no unit is ever active" in client.given["unstuck/report"]
    assert {"unstuck/verdict": "stuck"} == client.run.summary
    client.run = None
    with pytest.raises(unstuck.UnstuckError, match=r"wandb\.init"):
        loggers.wandb(REPORT)


def test_tensorboard_gets_text_and_scalars_at_the_last_step(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

    loggers.tensorboard(REPORT, tmp_path)
    (file,) = tmp_path.iterdir()
    found = {v.tag: (e.step, v) for e in EventFileLoader(str(file)).Load() for v in e.summary.value}
    assert {"unstuck/report", *NUMBERS} == set(found)
    assert 75 == found["unstuck/errors"][0]


@pytest.mark.parametrize("name", ["mlflow", "wandb"])
def test_a_logger_that_is_not_installed_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(unstuck.UnstuckError, match=rf"E023.*pip install 'unstuck\[{name}\]'"):
        getattr(loggers, name)(REPORT)


def run_plugin(pytester: pytest.Pytester) -> pytest.RunResult:
    pytester.makepyfile(
        """
        import unstuck
        from pathlib import Path
        from unstuck.report import from_json

        FOUND = from_json(Path("report.json").read_text())

        def test_model(unstuck_report, monkeypatch):
            monkeypatch.setattr(unstuck, "diagnose", lambda model, x: FOUND)
            unstuck_report("model", x=1)
        """
    )
    (pytester.path / "report.json").write_text(to_json(REPORT))
    return pytester.runpytest_subprocess("-p", "no:cacheprovider")


def test_the_fixture_fails_a_test_on_an_error_finding_and_shows_the_report(pytester: pytest.Pytester) -> None:
    result = run_plugin(pytester)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*error dead-relu: no unit is ever active*", "*It is stuck.*"])


def test_a_report_in_a_notebook_is_html_and_in_a_terminal_text() -> None:
    class Printer:
        def text(self, said: str) -> None:
            self.said = said

    printer = Printer()
    REPORT._repr_pretty_(printer, None)
    assert str(REPORT) == printer.said
    assert "no unit is ever active" in REPORT._repr_html_()


def test_the_cell_magic_runs_the_cell_and_gives_its_report(tmp_path: Path) -> None:
    """In a process of its own: the magic hooks Keras, and other tests of this process hook it too."""
    call = "from tests.test_where_people_look import cell_magic; cell_magic()"
    environment = {**os.environ, "IPYTHONDIR": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", call], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert 0 == done.returncode, done.stderr[-2000:]


def cell_magic() -> None:
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.capture import capture_output

    shell = InteractiveShell()
    cells = [
        "%load_ext unstuck",
        "import keras, numpy as np\nx = np.random.default_rng(0).normal(size=(60, 5)).astype('float32')",
        "model = keras.Sequential(\n    [keras.layers.Dense(1, activation='softmax')]\n)\nmodel.compile('adam', 'mse')",
        "model.fit(x, x[:, :1] > 0, verbose=0)",
    ]
    with capture_output() as shown:
        for cell in cells:
            assert shell.run_cell(cell, store_history=True).success, shown.stdout
        report = shell.run_cell_magic("unstuck", "--experiments off", "\nmodel.fit(x, x[:, :1] > 0, verbose=0)")
        assert shell.run_cell_magic("unstuck", "--budget soon", "pass") is None
        assert shell.run_cell_magic("unstuck", "", "pass") is None
    found = next(f for f in report.findings if f.rule == "softmax-on-one-unit")
    assert ("In [3]", 2) == (found.location.file, found.location.line)
    assert ("In [4]", 3) == (report.fits[0].location.file, report.fits[0].location.line)
    assert 1 == len(report.fits)
    assert "[E009] the budget is 'soon'" in shown.stdout
    assert "called no fit" in shown.stdout


def test_the_pre_commit_hook_runs_check_on_python_and_notebooks() -> None:
    hook = (Path(__file__).parents[1] / ".pre-commit-hooks.yaml").read_text()
    assert "entry: unstuck check" in hook
    assert "types_or: [python, jupyter]" in hook
