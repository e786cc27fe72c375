"""The rules that need scikit-learn's calls, on their own examples, recorded in a child process and judged."""

from __future__ import annotations

from pathlib import Path

import pytest

from unstuck.diagnosis.judge import Judged
from unstuck.diagnosis.judge import judge as judge_rule
from unstuck.measure.case import Case
from unstuck.record.launch import run_script
from unstuck.record.recorded import read_run
from unstuck.rules.examples import prelude
from unstuck.rules.preprocessing_before_split import PreprocessingBeforeSplit
from unstuck.rules.rule import Example, Rule
from unstuck.rules.selection_before_split import SelectionBeforeSplit

RULES = [PreprocessingBeforeSplit, SelectionBeforeSplit]


def judge(rule: type[Rule], example: Example, folder: Path) -> Judged:
    script = folder / "train.py"
    script.write_text(prelude(example.data) + example.code)
    recording = run_script(script, root=folder)
    assert (0, 1) == (recording.status, recording.fits)
    run = read_run(recording.folder)
    assert [] == [event.body for event in run.events if event.kind == "fault"]
    case = Case(run, run.fits[0])
    return judge_rule(rule, case)


@pytest.mark.parametrize("rule", RULES)
def test_the_sick_example_is_suspected_at_the_fitting_call_and_can_be_tried(rule, tmp_path: Path) -> None:
    found = judge(rule, rule.sick, tmp_path).suspect
    assert found is not None
    text = (tmp_path / "train.py").read_text().splitlines()
    assert "fit_transform" in text[found.location.line - 1]
    assert "train_test_split(" in text[found.related[-1].line - 1]
    assert found.cures
    assert "suggested" == found.fix.applicability
    assert ["train_test_split", "validation_data"] == [step.text for step in found.flow[-2:]]


@pytest.mark.parametrize("rule", RULES)
def test_the_healthy_example_is_cleared(rule, tmp_path: Path) -> None:
    assert "cleared" == judge(rule, rule.healthy, tmp_path).result.outcome
