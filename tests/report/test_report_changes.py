"""Fixes put into files, baselines, and two runs beside each other."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from reports import TRAIN_SOURCE, case_a, case_b, healthy, softmax_finding

from unstuck.errors import UnstuckError
from unstuck.finding import Edit, Fix, Report
from unstuck.report.compare import compared
from unstuck.report.known import baseline_text, read_baseline, set_aside
from unstuck.report.patch import patch, rewritten, told, unified
from unstuck.report.selection import reaches

HOME = "/home/ada/study/"


def in_folder(report: Report, folder: Path) -> Report:
    """The report with its files named from `folder`, as `unstuck run` names them."""
    text = msgspec.json.encode(report).decode().replace(HOME, "")
    (folder / "train.py").write_bytes("\n".join(TRAIN_SOURCE).encode())
    return msgspec.json.decode(text, type=Report)


def test_a_suggested_fix_is_applied_only_when_asked_for(tmp_path: Path) -> None:
    report = in_folder(case_a(), tmp_path)
    made = patch(report, tmp_path, unsafe=False)
    assert ((), {}) == (made.applied, made.after)
    assert "not fixed softmax-on-one-unit: its fix changes what the model computes; --unsafe applies it" in told(made)
    made = patch(report, tmp_path, unsafe=True)
    expected = "\n".join(TRAIN_SOURCE).replace('"softmax"', '"sigmoid"')
    assert {tmp_path / "train.py": expected.replace("categorical_c", "binary_c")} == made.after


def test_an_exact_fix_needs_no_permission(tmp_path: Path) -> None:
    report = in_folder(case_a(), tmp_path)
    fix = msgspec.structs.replace(report.findings[0].fix, applicability="exact")
    finding = msgspec.structs.replace(report.findings[0], fix=fix, experiments=())
    assert 1 == len(patch(msgspec.structs.replace(report, findings=(finding,)), tmp_path, unsafe=False).applied)


def test_a_suggestion_that_was_not_tried_is_not_applied(tmp_path: Path) -> None:
    report = msgspec.structs.replace(in_folder(case_a(), tmp_path), experiments=())
    assert "not fixed softmax-on-one-unit: its fix was not tried" in told(patch(report, tmp_path, unsafe=True))


def test_a_sketch_is_never_applied(tmp_path: Path) -> None:
    made = patch(case_b(), tmp_path, unsafe=True)
    assert ["not fixed selection-before-split: its fix is a sketch, for you to fill in"] == told(made)


def test_a_file_that_changed_since_is_left_alone(tmp_path: Path) -> None:
    report = in_folder(case_a(), tmp_path)
    (tmp_path / "train.py").write_text("# new\n" + "\n".join(TRAIN_SOURCE))
    with pytest.raises(UnstuckError, match=r"E020.*is not what it was"):
        patch(report, tmp_path, unsafe=True)


def test_two_fixes_of_the_same_place_are_not_mixed(tmp_path: Path) -> None:
    report = in_folder(case_a(), tmp_path)
    other = Fix(
        title="other", applicability="exact", edits=(Edit(file="train.py", start=(14, 30), end=(14, 47), text="1"),)
    )
    second = msgspec.structs.replace(report.findings[0], rule="another", fix=other, explained_by=None)
    made = patch(msgspec.structs.replace(report, findings=(report.findings[0], second)), tmp_path, unsafe=True)
    assert ["softmax-on-one-unit"] == [f.rule for f in made.applied]
    assert "meets another fix" in told(made)[1]


def test_comments_tabs_and_line_ends_stay_as_they_are() -> None:
    text = "a = f(1)  # größer\r\n\tb = 2\r\n\r\nc"
    edits = [Edit(file="x", start=(1, 7), end=(1, 8), text="2"), Edit(file="x", start=(2, 1), end=(2, 1), text="#\n")]
    assert rewritten(text, edits) == "a = f(2)  # größer\r\n#\r\n\tb = 2\r\n\r\nc"


def test_the_diff_is_one_that_git_takes(tmp_path: Path) -> None:
    made = patch(in_folder(case_a(), tmp_path), tmp_path, unsafe=True)
    shown = "".join(unified(made, tmp_path))
    assert shown.startswith("--- a/train.py\n+++ b/train.py\n@@ ")
    assert '\n-    keras.layers.Dense(1, activation="softmax"),\n' in shown
    assert "\\ No newline at end of file\n" in shown


def test_known_findings_neither_show_nor_fail_and_stay_in_the_report(tmp_path: Path) -> None:
    file = tmp_path / "baseline.json"
    file.write_text(baseline_text(case_a()))
    report = set_aside(case_a(), read_baseline(file))
    assert not reaches(report, "note", possible=True)
    assert (0, 0, None) == (report.summary.error, report.summary.warning, report.summary.worst)
    assert ["softmax-on-one-unit", "accuracy-equals-base-rate"] == [f.rule for f in report.suppressed]
    assert {"suppressed"} == {f.outcome for f in report.suppressed}


def test_a_new_finding_is_not_hidden_by_a_baseline() -> None:
    new = softmax_finding(rule="new-one", fingerprint="v1:new")
    report = msgspec.structs.replace(case_a(), findings=(*case_a().findings, new))
    assert ["new-one"] == [f.rule for f in set_aside(report, {"v1:9c1e"}).findings]


@pytest.mark.parametrize("content", [None, "{", "[]", "{}"])
def test_a_baseline_that_cannot_be_read_is_told(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "b.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(UnstuckError, match="E019"):
        read_baseline(file)


def test_two_runs_are_compared_by_what_changed_and_what_it_did() -> None:
    fit = msgspec.structs.replace(healthy().fits[0], held_out_skill=0.75)
    old = msgspec.structs.replace(case_a(), fits=(msgspec.structs.replace(case_a().fits[0], held_out_skill=0.0),))
    shown = compared(
        old, msgspec.structs.replace(healthy(), fits=(fit,)), {"train.py": ("a", "b")}, {"train.py": ("a", "c")}
    )
    assert "held-out skill: 0.000 → 0.750 (+0.750)\n" in shown
    assert "gone: error[softmax-on-one-unit] softmax over a single unit always outputs 1 [proven]\n" in shown
    assert shown.endswith("@@ -1,2 +1,2 @@\n a\n-b\n+c\n")
