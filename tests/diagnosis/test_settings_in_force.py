"""Which rules are asked, by which thresholds, and which findings are set aside."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import pytest

from unstuck.diagnosis.asked import chosen, in_force, thresholds_of
from unstuck.diagnosis.suppression import obeyed
from unstuck.errors import UnstuckError
from unstuck.finding import Finding, Location, Report, Run, Summary, Tool
from unstuck.rules.dying_relu import DyingRelu
from unstuck.settings import Settings, load, resolve

HERE = Path(__file__).parent


def names(**settings: tuple[str, ...]) -> set[str]:
    return {rule.name for rule in chosen(Settings(**settings), HERE)}


def test_rules_are_selected_by_name_code_family_and_group() -> None:
    everything = names()
    assert {"dying-relu"} == names(only=("dying-relu",)) == names(only=("ACT101",)) == names(select=("ACT101",))
    assert names(select=("ACT",)) == {n for n in everything if n in names(only=("ACT",))}
    assert everything - names(ignore=("ACT",)) == names(select=("ACT",))
    assert everything == names(select=("default",))


def test_a_rule_that_does_not_exist_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(UnstuckError, match=r"E009.*unknown rule 'dieing-relu'.*write 'dying-relu'"):
        names(ignore=("dieing-relu",))


def test_a_threshold_is_in_force_inside_the_block_and_back_afterwards() -> None:
    module = sys.modules[DyingRelu.__module__]
    key, value = next(iter(thresholds_of(DyingRelu).items()))
    constant = key.upper().replace("-", "_")
    with in_force({"dying-relu": {key: value / 2}}, HERE):
        assert value / 2 == getattr(module, constant)
    assert value == getattr(module, constant)


def test_an_unknown_threshold_names_file_line_and_the_valid_ones(tmp_path: Path) -> None:
    file = tmp_path / "unstuck.toml"
    file.write_text("seeds = 3\n\n[rules.dying-relu]\nno-such = 0.4\n")
    with pytest.raises(UnstuckError) as caught, in_force(load(tmp_path).rules, tmp_path):
        pass
    assert f"{file}:4 has the unknown threshold of dying-relu 'no-such'" in str(caught.value)
    assert all(key in str(caught.value) for key in thresholds_of(DyingRelu))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('per-file = { "a/*" = ["x"] }\n', "expected patterns, each with `ignore = \\[names\\]`"),
        ('[rules.dying-relu]\nshare = "high"\n', "expected a table a rule, of numbers"),
    ],
)
def test_tables_of_the_wrong_kind_are_refused(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "unstuck.toml").write_text(content)
    with pytest.raises(UnstuckError, match=said):
        load(tmp_path)


def test_the_origin_of_a_setting_is_told_also_for_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "unstuck.toml").write_text("seeds = 4\n")
    monkeypatch.setenv("UNSTUCK_SEEDS", "5")
    assert (5, "UNSTUCK_SEEDS") == resolve(tmp_path, {})["seeds"]
    assert (6, "command line") == resolve(tmp_path, {"seeds": 6})["seeds"]


def report(source: str) -> Report:
    root = Finding(
        rule="dead-relu",
        code="ACT102",
        fingerprint="v1:1",
        severity="error",
        confidence="proven",
        message="m",
        location=Location(file="nets/train.py", line=1, end_line=1),
    )
    echo = msgspec.structs.replace(root, rule="echo", code="ACT199", explained_by="dead-relu", location=None)
    return Report(
        schema="",
        tool=Tool(name="unstuck", version="0"),
        run=Run(id="r"),
        summary=Summary(error=1, worst="error"),
        findings=(root, echo),
        sources={"nets/train.py": tuple(source.split("\n"))},
    )


def test_a_comment_beside_the_layer_sets_its_finding_and_the_consequences_aside() -> None:
    found = obeyed(report("Dense(1)  # unstuck: ignore[dead-relu] on purpose"), {})
    assert () == found.findings
    assert ["dead-relu", "echo"] == [f.rule for f in found.suppressed]
    assert (0, None) == (found.summary.error, found.summary.worst)


def test_a_comment_elsewhere_sets_nothing_aside() -> None:
    found = obeyed(report("Dense(1)\nx = 1  # unstuck: ignore[dead-relu] on purpose"), {})
    assert "dead-relu" == found.findings[0].rule


@pytest.mark.parametrize(
    ("pattern", "name", "left"), [("nets/**", "ACT", 0), ("nets/*.py", "ACT102", 0), ("x/**", "ACT", 2)]
)
def test_findings_are_set_aside_by_file(pattern: str, name: str, left: int) -> None:
    assert left == len(obeyed(report("Dense(1)"), {pattern: (name,)}).findings)
