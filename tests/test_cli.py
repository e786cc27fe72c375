from __future__ import annotations

import json
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pytest
from click.testing import CliRunner, Result

from unstuck.cli import main
from unstuck.errors import ERRORS, UnstuckError
from unstuck.finding import Finding, Fit, Report, RuleResult, Run, Summary, Tool
from unstuck.report import from_json, to_json
from unstuck.report.pages import render, rule_page
from unstuck.settings import Settings, load, parse_budget

FINDING = Finding(
    rule="dead-relu",
    code="GRD101",
    fingerprint="v1:1",
    severity="error",
    confidence="proven",
    message="no unit is ever active",
)


def report_of(*findings: Finding, **more: Any) -> Report:
    fields: dict[str, Any] = {
        "schema": "report-1",
        "tool": Tool(name="unstuck", version="0"),
        "run": Run(id="2026-11-23-7f3a", script="train.py"),
        "summary": Summary(sentence="It is stuck."),
        "fits": (Fit(index=0, verdict="stuck", sentence=""),),
        "findings": findings,
    }
    return Report(**{**fields, **more})


class Workplace:
    """A folder with a script, a fake launcher and a fake diagnosis; what they were asked is kept."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.script = folder / "train.py"
        self.script.write_text("import keras\n")
        self.run_folder = self.make_run("2026-11-23-7f3a")
        self.recorded: dict[str, Any] = {
            "status": 0,
            "fits": 1,
            "keras": True,
            "error": "",
            "legacy": False,
            "complete": True,
        }
        self.report: Report | Exception | type[BaseException] = report_of(FINDING)
        self.launched: list[tuple[Any, ...]] = []
        self.judged: list[tuple[Path, Settings]] = []

    def make_run(self, name: str) -> Path:
        folder = self.folder / ".unstuck" / "runs" / name
        folder.mkdir(parents=True)
        (folder / "run.sqlite").touch()
        return folder

    def launch(self, script: Path, args: tuple[str, ...], *, samples: bool = True, **_: Any) -> Any:
        self.launched.append((script, args, samples))
        return types.SimpleNamespace(folder=self.run_folder, **self.recorded)

    def judge(self, folder: Path, settings: Settings, *, progress: Callable[[str], object]) -> Report:
        self.judged.append((folder, settings))
        progress("judging")
        if not isinstance(self.report, Report):
            raise self.report
        return self.report

    def __call__(self, *words: str) -> Result:
        return CliRunner().invoke(main, list(words))


OURS = ("UNSTUCK_BUDGET", "UNSTUCK_SEEDS", "UNSTUCK_FAIL_ON", "UNSTUCK_EXPERIMENTS")


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workplace:
    place = Workplace(tmp_path)
    monkeypatch.chdir(tmp_path)
    for name in (
        "UNSTUCK_BUDGET",
        "UNSTUCK_SEEDS",
        "UNSTUCK_FAIL_ON",
        "UNSTUCK_EXPERIMENTS",
        "FORCE_COLOR",
        "COLUMNS",
    ):
        monkeypatch.delenv(name, raising=False)
    for module, function in {
        "unstuck.record.launch": ("run_script", place.launch),
        "unstuck.diagnosis": ("diagnose_folder", place.judge),
    }.items():
        fake = types.ModuleType(module)
        setattr(fake, *function)
        monkeypatch.setitem(sys.modules, module, fake)
    return place


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ([], 1),
        (["--fail-on", "never"], 0),
        (["--fail-on", "note"], 1),
        (["--exit-zero"], 0),
    ],
)
def test_an_error_found_fails_unless_told_otherwise(workplace: Workplace, options: list[str], status: int) -> None:
    assert workplace("run", *options, "train.py").exit_code == status


def test_a_warning_does_not_fail_by_default(workplace: Workplace) -> None:
    workplace.report = report_of(msgspec.structs.replace(FINDING, severity="warning"))
    assert workplace("run", "train.py").exit_code == 0
    assert workplace("run", "--fail-on", "warning", "train.py").exit_code == 1


def test_a_crashed_rule_fails_only_when_strict(workplace: Workplace) -> None:
    workplace.report = report_of(rules=(RuleResult(rule="dead-relu", code="GRD101", outcome="crashed"),))
    assert workplace("run", "train.py").exit_code == 0
    assert workplace("run", "--strict", "train.py").exit_code == 2


def test_a_baseline_lets_pass_what_it_knows_and_only_that(workplace: Workplace) -> None:
    assert workplace("run", "--write-baseline", "known.json", "train.py").exit_code == 0
    assert workplace("run", "--baseline", "known.json", "train.py").exit_code == 0
    workplace.report = report_of(FINDING, msgspec.structs.replace(FINDING, rule="new", fingerprint="v1:2"))
    result = workplace("run", "--baseline", "known.json", "--format", "concise", "train.py")
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)


def test_the_report_goes_to_stderr_and_stdout_stays_the_scripts_own(workplace: Workplace) -> None:
    for format in ("full", "concise", "json"):
        result = workplace("run", "--format", format, "train.py")
        assert result.stdout == ""
        assert "no unit is ever active" in result.stderr


def test_a_dash_sends_the_report_to_stdout(workplace: Workplace) -> None:
    result = workplace("run", "--format", "json", "--output", "-", "train.py")
    assert from_json(result.stdout) == workplace.report


def test_the_report_goes_to_a_file_when_asked(workplace: Workplace) -> None:
    result = workplace("run", "--output", "out.txt", "--html", "out.html", "train.py")
    assert (result.stdout, result.stderr) == ("", "")
    assert (workplace.folder / "out.txt").read_text().startswith("It is stuck.\n")
    assert (workplace.folder / "out.html").read_text().startswith("<!doctype html>")


def test_the_report_is_kept_in_the_run_folder(workplace: Workplace) -> None:
    workplace("run", "train.py")
    assert from_json((workplace.run_folder / "report.json").read_bytes()) == workplace.report


def test_everything_after_the_script_belongs_to_the_script(workplace: Workplace) -> None:
    workplace("run", "-q", "--no-samples", "train.py", "--epochs", "3", "--help", "--", "-v")
    assert workplace.launched == [(Path("train.py"), ("--epochs", "3", "--help", "--", "-v"), False)]


def test_an_unknown_option_before_the_script_is_refused(workplace: Workplace) -> None:
    result = workplace("run", "--epochs", "3", "train.py")
    assert (result.exit_code, workplace.launched) == (2, [])


def test_options_become_settings(workplace: Workplace) -> None:
    workplace("run", "--experiments", "all", "--budget", "2 min", "--seeds", "5", "--show", "possible", "train.py")
    (_, settings), *_ = workplace.judged
    assert (
        settings.experiments,
        settings.budget,
        settings.seeds,
        settings.show,
    ) == ("all", 120.0, 5, "possible")


BAD_SCRIPTS: dict[str, tuple[bytes, str]] = {
    "syntax.py": (b"x = (1,\nprint(x)\n", "E003"),
    "null.py": (b"x = 1\0\n", "E003"),
    "bytes.py": (b"x = '\xff'\n", "E003"),
    "notes.ipynb": (b"no notebook", "E003"),
}


@pytest.mark.parametrize("name", BAD_SCRIPTS)
def test_a_script_that_does_not_compile_is_not_run(workplace: Workplace, name: str) -> None:
    source, code = BAD_SCRIPTS[name]
    (workplace.folder / name).write_bytes(source)
    result = workplace("run", name)
    assert (result.exit_code, workplace.launched) == (2, [])
    assert result.stderr.startswith(f"unstuck: error[{code}]: {name}")
    assert result.stderr.count("\n") == 1


def test_a_syntax_error_is_told_with_its_place(workplace: Workplace) -> None:
    (workplace.folder / "bad.py").write_text("x = 1\ny = = 2\n")
    assert "unstuck: error[E003]: bad.py:2:5: invalid syntax; " in workplace("run", "bad.py").stderr


def test_a_missing_script_is_told(workplace: Workplace) -> None:
    result = workplace("run", "nope.py")
    assert result.stderr == (
        "unstuck: error[E001]: nope.py does not exist; expected a Python script; give the path of a Python script\n"
    )
    assert result.exit_code == 2


def test_a_folder_is_no_script(workplace: Workplace) -> None:
    result = workplace("run", ".")
    assert (result.exit_code, "error[E002]" in result.stderr) == (2, True)


KEPT = ".unstuck/runs/2026-11-23-7f3a"


@pytest.mark.parametrize(
    ("recorded", "code", "status", "judged"),
    [
        ({"status": 1, "error": "ValueError: bad\x1b[31m"}, "E004", 1, True),
        ({"status": 7}, "E004", 7, True),
        ({"status": 1, "fits": 0}, "E004", 1, False),
        ({"status": 130}, "E005", 130, True),
        ({"status": -2}, "E005", 130, True),
        ({"status": 130, "fits": 0}, "E005", 130, False),
        ({"fits": 0}, "E006", 2, False),
        ({"fits": 0, "keras": False}, "E007", 2, False),
        ({"status": -9}, "E008", 137, True),
        ({"status": -9, "fits": 0}, "E008", 137, False),
    ],
)
def test_a_run_that_goes_wrong_is_told_in_one_line_and_what_was_recorded_is_judged(
    workplace: Workplace,
    recorded: dict[str, Any],
    code: str,
    status: int,
    judged: bool,  # noqa: FBT001
) -> None:
    workplace.recorded.update(recorded)
    result = workplace("run", "train.py")
    first = result.stderr.splitlines()[0]
    assert first.startswith(f"unstuck: error[{code}]: train.py ")
    assert KEPT in first
    assert "\x1b" not in first
    assert (result.exit_code, bool(workplace.judged)) == (status, judged)


def test_how_many_fits_came_before_the_exception_is_told(workplace: Workplace) -> None:
    workplace.recorded.update(status=1, fits=2, error="ValueError: bad shape")
    assert "train.py raised ValueError: bad shape after 2 fits; " in workplace("run", "train.py").stderr


def test_the_scripts_own_status_comes_before_that_of_findings(workplace: Workplace) -> None:
    workplace.recorded.update(status=3)
    assert workplace("run", "--exit-zero", "train.py").exit_code == 3


def test_a_diagnosis_that_fails_names_the_record(workplace: Workplace) -> None:
    workplace.report = ZeroDivisionError("division by zero")
    result = workplace("run", "train.py")
    assert result.exit_code == 2
    assert result.stderr == (
        "unstuck: error[E013]: the diagnosis failed with ZeroDivisionError: division by zero; "
        f"the record is kept in {KEPT}; `unstuck diagnose 2026-11-23-7f3a` judges the record again; "
        "-v shows more\n"
    )


def test_a_failed_diagnosis_shows_its_traceback_when_asked(workplace: Workplace) -> None:
    workplace.report = ZeroDivisionError("division by zero")
    result = workplace("run", "-v", "train.py")
    assert (result.exit_code, "Traceback" in result.stderr) == (2, True)


def test_an_interrupted_diagnosis_exits_with_130(workplace: Workplace) -> None:
    workplace.report = KeyboardInterrupt
    result = workplace("run", "train.py")
    assert (result.exit_code, "error[E005]" in result.stderr) == (130, True)


def test_an_error_of_ours_in_the_diagnosis_is_one_line(workplace: Workplace) -> None:
    workplace.report = UnstuckError("E012", "no data", expected="expected some", do="keep it")
    result = workplace("diagnose")
    assert (result.exit_code, result.stderr) == (2, "unstuck: error[E012]: no data; expected some; keep it\n")


def test_a_file_that_cannot_be_written_is_told_and_the_report_kept(workplace: Workplace) -> None:
    result = workplace("run", "--output", "no/such/folder/x.txt", "train.py")
    assert (result.exit_code, "error[E014]" in result.stderr) == (2, True)
    assert (workplace.run_folder / "report.json").exists()


def test_the_latest_run_is_judged_again_by_default(workplace: Workplace) -> None:
    latest = workplace.make_run("2026-11-24-0000")
    result = workplace("diagnose", "--only", "dying-relu", "--format", "concise")
    assert workplace.judged[0][0] == latest
    assert workplace.judged[0][1].only == ("dying-relu",)
    assert result.stdout == "train.py:1:1: error GRD101 dead-relu: no unit is ever active [proven]\n"


@pytest.mark.parametrize("name", ["2026-11-23-7f3a", "7f3a", KEPT])
def test_a_run_is_named_by_id_by_the_end_of_its_id_or_by_path(workplace: Workplace, name: str) -> None:
    workplace.make_run("2026-11-24-0000")
    workplace("diagnose", name)
    assert workplace.judged[0][0].resolve() == workplace.run_folder


@pytest.mark.parametrize("name", ["nope", "3a"])
def test_an_unknown_or_ambiguous_run_is_told_with_those_there_are(workplace: Workplace, name: str) -> None:
    workplace.make_run("2026-11-24-ff3a")
    result = workplace("diagnose", name)
    assert (result.exit_code, workplace.judged) == (2, [])
    assert "error[E010]" in result.stderr
    assert "2026-11-23-7f3a, 2026-11-24-ff3a" in result.stderr


def test_without_any_run_the_next_step_is_told(workplace: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    (workplace.folder / "empty").mkdir()
    monkeypatch.chdir(workplace.folder / "empty")
    result = workplace("diagnose")
    assert (result.exit_code, "unstuck run SCRIPT" in result.stderr) == (2, True)


def test_report_writes_the_page_and_prints_its_path(workplace: Workplace) -> None:
    (workplace.run_folder / "report.json").write_text(to_json(report_of(FINDING)))
    result = workplace("report")
    assert Path(result.stdout.strip()) == workplace.run_folder / "report.html"
    assert "no unit is ever active" in (workplace.run_folder / "report.html").read_text()


@pytest.mark.parametrize("content", [None, "{", '{"schema": 1}', "[]"])
def test_a_report_that_is_missing_or_damaged_is_told(workplace: Workplace, content: str | None) -> None:
    if content is not None:
        (workplace.run_folder / "report.json").write_text(content)
    result = workplace("report")
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "error[E010]" in result.stderr


class DeadRelu:
    name: ClassVar[str] = "dead-relu"
    code: ClassVar[str] = "GRD101"
    severity: ClassVar[str] = "error"
    family: ClassVar[str] = "gradient"

    @classmethod
    def sections(cls) -> dict[str, str]:
        return {
            "What it finds": "Units that\nare never active.",
            "Instead": "Not this:\n\n    relu(x)  # far",
        }


@pytest.fixture
def one_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = types.ModuleType("unstuck.rules")
    fake.catalogue = lambda: (DeadRelu,)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "unstuck.rules", fake)


@pytest.mark.usefixtures("one_rule")
@pytest.mark.parametrize("name", ["dead-relu", "GRD101", "grd101"])
def test_a_rule_is_explained_by_its_name_or_code(name: str) -> None:
    assert CliRunner().invoke(main, ["explain", name]).stdout == (
        "dead-relu (GRD101)\nerror, gradient\n\nWhat it finds\n  Units that are never active.\n\n"
        "Instead\n  Not this:\n\n      relu(x)  # far\n"
    )


@pytest.mark.usefixtures("one_rule")
def test_a_page_comes_as_markdown_and_as_json() -> None:
    markdown = CliRunner().invoke(main, ["explain", "dead-relu", "--format", "markdown"]).stdout
    assert markdown.startswith("# dead-relu (GRD101)\n\n*error, gradient*\n\n## What it finds\n\n")
    page = json.loads(CliRunner().invoke(main, ["explain", "dead-relu", "--format", "json"]).stdout)
    assert page["sections"] == DeadRelu.sections()


@pytest.mark.usefixtures("one_rule")
@pytest.mark.parametrize(("name", "near"), [("dead-rleu", "dead-relu"), ("grd102", "grd101"), ("e0012", "E012")])
def test_an_unknown_name_gets_the_closest_ones(name: str, near: str) -> None:
    result = CliRunner().invoke(main, ["explain", name])
    assert (result.exit_code, near in result.stderr) == (2, True)
    assert result.stderr.startswith(f"unstuck: error[E011]: no rule or error is called '{name}'; ")


class SoftmaxOnOneUnit(DeadRelu):
    name: ClassVar[str] = "softmax-on-one-unit"


@pytest.mark.parametrize(("rule", "seen"), [(SoftmaxOnOneUnit, 1), (DeadRelu, 0)])
def test_a_page_says_whether_check_may_see_the_cause(rule: type[DeadRelu], seen: int) -> None:
    page = rule_page(rule)
    assert render(page, "text").splitlines()[1].count("`unstuck check` may see it in the source") == seen
    assert json.loads(render(page, "json"))["check"] == bool(seen)


@pytest.mark.usefixtures("one_rule")
def test_the_rules_are_listed() -> None:
    assert CliRunner().invoke(main, ["rules"]).stdout.splitlines()[0] == "GRD101  dead-relu  error    gradient"
    listed = json.loads(CliRunner().invoke(main, ["rules", "--format", "json"]).stdout)
    assert [rule["name"] for rule in listed] == ["dead-relu"]


@pytest.mark.parametrize("code", ERRORS)
def test_every_error_is_explained(code: str) -> None:
    result = CliRunner().invoke(main, ["explain", code.lower()])
    assert (result.exit_code, result.stdout.splitlines()[0]) == (0, code)
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_env_shows_the_settings_and_where_each_came_from(workplace: Workplace) -> None:
    (workplace.folder / "unstuck.toml").write_text("seeds = 7\n")
    shown = workplace("env").stdout
    assert f"seeds         7  ({workplace.folder / 'unstuck.toml'})" in shown
    assert "experiments   auto  (default)" in shown


@pytest.mark.parametrize("words", [["--help"], ["explain", "E012"], ["run", "nope.py"], ["env"]])
def test_light_commands_import_nothing_heavy(words: list[str]) -> None:
    code = (
        f"import sys\nfrom unstuck.cli import main\ntry:\n    main({words!r})\nexcept SystemExit:\n    pass\n"
        "assert not {'keras', 'jax', 'numpy', 'sklearn'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("60", 60), ("60 s", 60), ("5 min", 300), ("5m", 300), ("1.5h", 5400), ("2 minutes", 120), (90, 90)],
)
def test_a_budget_is_seconds_or_text(text: str | float, seconds: float) -> None:
    assert parse_budget(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "0", "-5", "5 days", "5 min 3", "nan", True])
def test_a_budget_that_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(UnstuckError, match=r"\[E009\] the budget is"):
        parse_budget(text)


def test_the_closest_file_with_our_table_wins_whole(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "unstuck.toml").write_text('seeds = 9\nbudget = "9 min"\n')
    (tmp_path / "a" / "pyproject.toml").write_text('[tool.unstuck]\nseeds = 4\nfail-on = "never"\nignore = ["x"]\n')
    (inner / "pyproject.toml").write_text("[tool.other]\n")
    assert load(inner) == Settings(seeds=4, fail_on="never", ignore=("x",))


def test_the_command_line_wins_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "unstuck.toml").write_text('seeds = 9\nbudget = "9 min"\n')
    assert load(tmp_path, seeds=2, budget=None, only=()) == Settings(seeds=2, budget=540.0)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[tool.unstuck]\nseeds = 3\nsedes = 4\n", "pyproject.toml:3 has the unknown key 'sedes'; "),
        ("[tool.unstuck]\nseeds = 0\n", "seeds is 0 in "),
        ('[tool.unstuck]\nfail-on = "errors"\n', "expected one of error, warning, note, never"),
        ('[tool.unstuck]\nignore = "x"\n', "expected a list of names"),
        ('[tool.unstuck]\nbudget = "soon"\n', "the budget is 'soon'"),
        ("[tool.unstuck\n", "cannot be read"),
        (
            '[tool.unstuck]\nignore = ["dying-rleu"]\n',
            "the unknown rule 'dying-rleu'; `unstuck rules` lists the valid ones",
        ),
        ("[tool.unstuck.rules.dying-relu]\ndead-shar = 0.4\n", "the unknown threshold of dying-relu 'dead-shar'"),
    ],
)
def test_a_setting_that_is_not_valid_stops_everything(workplace: Workplace, content: str, said: str) -> None:
    (workplace.folder / "pyproject.toml").write_text(content)
    result = workplace("run", "train.py")
    assert (result.exit_code, workplace.launched) == (2, [])
    assert result.stderr.startswith("unstuck: error[E009]: ")
    assert said in result.stderr


def test_the_environment_counts_when_the_command_line_is_silent(
    workplace: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNSTUCK_BUDGET", "7 s")
    workplace("run", "train.py")
    workplace("run", "--budget", "8 s", "train.py")
    assert [settings.budget for _, settings in workplace.judged] == [7.0, 8.0]


@pytest.mark.parametrize(
    ("content", "status", "said"),
    [
        ('ignore = ["no-such-rule"]\n', 2, "the unknown rule 'no-such-rule'"),
        ('select = ["LEK"]\n', 0, "No findings."),
        ('ignore = ["softmax-on-one-unit", "class-imbalance"]\nselect = ["OUT"]\n', 0, "No findings."),
        ('select = ["OUT"]\n', 1, "error[softmax-on-one-unit]"),
    ],
)
def test_check_judges_by_the_rules_that_the_settings_name(tmp_path: Path, content: str, status: int, said: str) -> None:
    (tmp_path / "unstuck.toml").write_text(content)
    script = tmp_path / "train.py"
    script.write_text(
        "import keras\nmodel = keras.Sequential([keras.layers.Dense(1, activation='softmax')])\n"
        "model.compile('adam', loss='mse')\nmodel.fit(x, y)\n"
    )
    result = CliRunner().invoke(main, ["check", str(script)])
    assert (status, True) == (result.exit_code, said in result.output), result.output


def test_the_list_of_commands_says_each_in_full() -> None:
    shown = CliRunner().invoke(main, ["--help"], terminal_width=80).output
    assert [] == [line for line in shown.splitlines() if line.endswith("...") and "Usage:" not in line]
    assert shown.index("  run ") < shown.index("  diagnose ") < shown.index("  fix ")
