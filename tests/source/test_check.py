from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from unstuck.cli import main
from unstuck.finding import Report
from unstuck.source.check import Asked, check, found_files
from unstuck.source.witnesses import witnesses

SICK = (
    "import keras\n"
    "model = keras.Sequential([keras.layers.Dense(1, activation='softmax')])\n"
    "model.compile('adam', 'binary_crossentropy')\n"
    "model.fit(x, y)\n"
)
WARNED = SICK.replace("'softmax'", "'relu'")
HEALTHY = SICK.replace("'softmax'", "'sigmoid'")


def run(*words: str) -> Result:
    return CliRunner().invoke(main, ["check", *words])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_concise_line_is_frozen(folder: Path) -> None:
    (folder / "train.py").write_text(SICK)
    line = "train.py:2:60: error OUT101 softmax-on-one-unit: softmax over a single unit always outputs 1 [proven]\n"
    assert run("train.py", "--format", "concise").stdout == line


@pytest.mark.parametrize(
    ("code", "words", "status"),
    [
        (SICK, (), 1),
        (SICK, ("--exit-zero",), 0),
        (SICK, ("--fail-on", "never"), 0),
        (SICK, ("--ignore", "softmax-on-one-unit"), 0),
        (SICK, ("--ignore", "OUT"), 0),
        (SICK, ("--only", "LEK"), 0),
        (SICK, ("--only", "OUT101"), 1),
        (WARNED, (), 0),
        (WARNED, ("--fail-on", "warning"), 1),
        (HEALTHY, ("--fail-on", "note"), 0),
        ("x = (\n", (), 2),
    ],
)
def test_the_exit_status_follows_findings_and_flags(
    code: str, words: tuple[str, ...], status: int, folder: Path
) -> None:
    (folder / "train.py").write_text(code)
    assert run("train.py", *words).exit_code == status


def test_a_broken_file_is_one_line_on_stderr_and_the_rest_is_judged(folder: Path) -> None:
    (folder / "a.py").write_text("x = (\n")
    (folder / "b.py").write_text(SICK)
    (folder / "c.ipynb").write_bytes(b"\xff")
    result = run(".", "--format", "concise")
    assert result.exit_code == 1
    assert [line.partition(":")[0] for line in result.stdout.splitlines()] == ["b.py"]
    assert [line.split()[1] for line in result.stderr.splitlines()] == ["error[E018]:", "error[E018]:"]


def test_folders_are_walked_without_what_is_not_the_persons_own(folder: Path) -> None:
    for name in (
        "a.py",
        "sub/b.ipynb",
        ".venv/c.py",
        "x/site-packages/d.py",
        "e.txt",
        "sub/.ipynb_checkpoints/f.ipynb",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("")
    assert [file.as_posix() for file in found_files([Path(), Path("a.py")], ())] == ["a.py", "sub/b.ipynb"]
    assert [file.as_posix() for file in found_files([Path()], ("sub/*",))] == ["a.py"]


def test_settings_of_the_project_are_obeyed(folder: Path) -> None:
    (folder / "train.py").write_text(SICK)
    (folder / "unstuck.toml").write_text('ignore = ["softmax-on-one-unit"]\n')
    assert run("train.py").exit_code == 0


def test_wrong_names_and_paths_are_errors_of_usage(folder: Path) -> None:
    (folder / "train.py").write_text(SICK)
    nowhere, misspelt = run("nowhere.py"), run("train.py", "--only", "softmax-on-one-unti")
    assert (nowhere.exit_code, misspelt.exit_code) == (2, 2)
    assert "did you mean softmax-on-one-unit?" in misspelt.stderr


def test_json_holds_flow_places_and_every_rule(folder: Path) -> None:
    (folder / "train.py").write_text(SICK)
    report = msgspec.json.decode(run("train.py", "--format", "json").stdout, type=Report)
    assert [finding.rule for finding in report.findings] == ["softmax-on-one-unit"]
    assert {r.rule: r.outcome for r in report.rules} == {
        w.name: "found" if w.name == "softmax-on-one-unit" else "cleared" for w in witnesses()
    }


def test_a_healthy_file_prints_two_lines(folder: Path) -> None:
    (folder / "train.py").write_text(HEALTHY)
    lines = run("train.py").stdout.split("\n\n")[0].splitlines()
    assert lines[0] == "Read 1 file without running anything."
    assert len(run("train.py").stdout.splitlines()) <= 3


def test_many_files_are_judged_by_several_processes_in_the_same_order(folder: Path) -> None:
    for number in range(40):
        (folder / f"{number:02}.py").write_text(SICK if number % 2 else HEALTHY)
    found = check([Path()], Asked(), "0").report.findings
    assert [f.location.file for f in found if f.location] == [f"{n:02}.py" for n in range(1, 40, 2)]


def test_every_name_and_code_is_the_catalogues_own() -> None:
    from unstuck.rules import catalogue

    known = {rule.name: rule.code for rule in catalogue()}
    shared = [w for w in witnesses() if w.name in known]
    assert [(w.name, w.code) for w in shared] == [(w.name, known[w.name]) for w in shared]
    assert len({w.code for w in witnesses()}) == len(witnesses())


def modules_after(code: str) -> set[str]:
    script = f"import json, sys\n{code}\nprint(json.dumps(sorted(m.partition('.')[0] for m in sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_check_imports_neither_keras_nor_numpy_nor_the_program(folder: Path) -> None:
    (folder / "train.py").write_text("raise SystemExit('it was run')\n" + SICK)
    code = (
        "from unstuck.cli import main\n"
        "try:\n    main(['check', 'train.py', '--format', 'concise'])\nexcept SystemExit:\n    pass"
    )
    heavy = {"keras", "numpy", "jax", "tensorflow", "torch", "sklearn", "pandas", "scipy", "train"}
    assert modules_after(code) & heavy == set()


def test_that_test_would_see_an_import() -> None:
    assert "numpy" in modules_after("import unstuck.rules")


def test_a_baseline_and_exemptions_by_file_hold_for_check_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("train.py").write_text(
        "import keras\nmodel = keras.Sequential([keras.layers.Dense(1, activation='softmax')])\n"
        "model.compile('adam', loss='binary_crossentropy')\n"
    )

    def lines(*options: str) -> int:
        return len(CliRunner().invoke(main, ["check", "--format", "concise", *options, "train.py"]).stdout.splitlines())

    assert lines() == 1
    assert lines("--write-baseline", "known.json") == lines("--baseline", "known.json") == 0
    Path("unstuck.toml").write_text('[per-file]\n"train*" = { ignore = ["OUT"] }\n')
    assert lines() == 0
