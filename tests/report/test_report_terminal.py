from __future__ import annotations

import re
import subprocess
import sys

import msgspec
import pytest
from reports import CASES, EVIL, case_a, healthy, inconclusive, results, several_fits, softmax_finding, trial

from unstuck.finding import Location, Report
from unstuck.report import concise, text
from unstuck.report.frame import CODE_WIDTH, Mark, annotate, frame
from unstuck.report.selection import outcomes, reaches
from unstuck.report.trials import tables
from unstuck.report.words import cells, clean, duration, number, spread, wrap

SOURCE_LINE = re.compile(r" *\d+ [|+-] ")
UNDERLINE = re.compile(r" *\| [ |]*[-^]")


@pytest.mark.parametrize("verbosity", [-1, 0, 2])
@pytest.mark.parametrize("width", [60, 80])
@pytest.mark.parametrize("case", CASES)
def test_only_source_lines_and_their_underlines_pass_the_page(case: str, width: int, verbosity: int) -> None:
    for line in text(CASES[case](), width=width, verbosity=verbosity).splitlines():
        is_source = SOURCE_LINE.match(line) or UNDERLINE.match(line)
        assert cells(line) <= (CODE_WIDTH + 1 if is_source else width), line


@pytest.mark.parametrize("case", CASES)
def test_the_first_line_is_the_verdict_in_words(case: str) -> None:
    report = CASES[case]()
    first = " ".join(text(report).splitlines()[:2])
    assert clean(report.summary.sentence)[:70] in first


@pytest.mark.parametrize("case", CASES)
def test_colour_changes_no_character(case: str) -> None:
    report = CASES[case]()
    painted = text(report, color=True)
    assert text(report) == re.sub(r"\x1b\[[0-9;]*m", "", painted)
    assert "\x1b[" in painted


@pytest.mark.parametrize("case", CASES)
def test_no_control_character_reaches_the_terminal(case: str) -> None:
    shown = text(CASES[case](), verbosity=2) + concise(CASES[case]())
    assert not re.findall("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", shown)


def test_a_change_that_cures_two_causes_is_shown_once() -> None:
    report = case_a()
    again = msgspec.structs.replace(report.findings[0], rule="another-cause", fingerprint="v1:another")
    shown = text(msgspec.structs.replace(report, findings=(report.findings[0], again)))
    assert 1 == shown.count("help: use a sigmoid")
    assert "help: the same change as for softmax-on-one-unit above" in shown


def test_a_healthy_run_says_more_when_asked() -> None:
    fit = msgspec.structs.replace(healthy().fits[0], verdict="healthy", facts=("a fact",))
    report = msgspec.structs.replace(healthy(), fits=(fit,))
    assert "a fact" not in text(report)
    assert "a fact" in text(report, verbosity=1)


def test_a_table_in_which_nothing_was_changed_is_left_out_beside_others() -> None:
    arms = [
        trial("w", "baseline", "as written", (0.5,), metric="held-out skill"),
        trial("p", "placebo", "other seeds", (0.5,), metric="held-out skill"),
        trial("c", "intervention", "a change", (0.9,), metric="train skill"),
    ]
    assert ["train skill"] == [table.heads[1] for table in tables(arms)]
    assert ["held-out skill"] == [table.heads[1] for table in tables(arms[:2])]


def test_a_healthy_run_prints_two_lines() -> None:
    assert len(text(healthy()).splitlines()) == 2


def test_a_consequence_is_counted_and_not_told_as_a_cause_of_its_own() -> None:
    shown = text(case_a())
    assert "accuracy-equals-base-rate" not in shown
    assert "with 1 consequence folded in" in shown


def test_a_consequence_whose_cause_is_not_shown_stands_for_itself() -> None:
    finding = softmax_finding(explained_by="cleared-rule")
    assert "error[softmax-on-one-unit]" in text(msgspec.structs.replace(case_a(), findings=(finding,)))


def test_the_same_fault_in_several_fits_is_one_block_that_names_them() -> None:
    shown = text(several_fits())
    assert shown.count("error[softmax-on-one-unit]") == 1
    assert "in fits 2 and 3 of 3" in shown


def test_many_fits_are_counted_and_the_troubled_ones_listed() -> None:
    report = several_fits()
    fine, stuck = report.fits[0], report.fits[1]
    many = tuple(msgspec.structs.replace(stuck if i == 30 else fine, index=i) for i in range(40))
    shown = text(msgspec.structs.replace(report, fits=many, findings=()))
    assert "fit 31 of 40, folds.py:40: stuck." in shown
    assert "and 32 more: 32 finished (-v lists them)" in shown


def test_what_is_merely_possible_is_hidden_until_asked_for() -> None:
    assert "too-few-rows" not in text(inconclusive(), verbosity=1)
    assert "warning[too-few-rows]" in text(inconclusive(), verbosity=2)


def test_a_note_takes_one_line_until_more_is_asked_for() -> None:
    assert "note[unseeded-run]: no seed is set, so the next run will differ [proven]" in text(inconclusive())
    assert "= proven" not in text(inconclusive())


def test_an_undecided_finding_does_not_fail_a_build() -> None:
    assert not reaches(inconclusive(), "warning")
    assert reaches(inconclusive(), "note")


def test_a_hidden_finding_does_not_fail_a_build() -> None:
    report = msgspec.structs.replace(case_a(), findings=(softmax_finding(confidence="possible"),))
    assert (reaches(report, "note"), reaches(report, "note", possible=True)) == (False, True)


def test_a_rule_tried_on_several_fits_counts_once() -> None:
    rules = (*results("cleared", ["dead-relu"]), *results("not-checked", ["dead-relu"], fit=1))
    assert outcomes(msgspec.structs.replace(case_a(), rules=rules)) == {"not-checked": 1}


def test_a_harmful_change_is_not_called_no_difference() -> None:
    report = case_a()
    worse = msgspec.structs.replace(report.experiments[1], effect=-0.2, interval=(-0.3, -0.1))
    trials = (report.experiments[0], worse, *report.experiments[2:])
    shown = text(msgspec.structs.replace(report, experiments=trials))
    assert "−0.200 [−0.300, −0.100]" in shown


def test_an_edit_that_does_not_fit_the_source_is_told_in_words() -> None:
    short = {file: lines[:10] for file, lines in case_a().sources.items()}
    shown = text(msgspec.structs.replace(case_a(), sources=short))
    assert '= in train.py:14:38: "sigmoid"' in shown


def test_inserting_a_line_leaves_its_neighbour_out_of_the_diff() -> None:
    fix = softmax_finding().fix
    assert fix is not None
    edit = msgspec.structs.replace(fix.edits[0], start=(17, 1), end=(17, 1), text="x_train = scale(x_train)\n")
    finding = softmax_finding(fix=msgspec.structs.replace(fix, edits=(edit,)))
    shown = text(msgspec.structs.replace(case_a(), findings=(finding,)))
    assert "\n17 + x_train = scale(x_train)\n   |\n" in shown


def test_deleting_a_line_shows_only_that_line() -> None:
    fix = softmax_finding().fix
    assert fix is not None
    edit = msgspec.structs.replace(fix.edits[0], start=(13, 1), end=(14, 1), text="")
    finding = softmax_finding(fix=msgspec.structs.replace(fix, edits=(edit,)))
    shown = text(msgspec.structs.replace(case_a(), findings=(finding,)))
    assert '\n   |\n13 -     keras.layers.Dense(32, activation="relu"),\n   |\n' in shown


def test_carets_stand_under_wide_characters_and_tabs() -> None:
    finding = softmax_finding(location=Location(file="t.py", line=1, column=4, end_column=5, label="x"), related=())
    rows = frame(finding, {"t.py": ("網\té=1",)})
    assert rows[2:4] == [" 1 | 網  é=1", "   |      ^ x"]


def test_labels_on_one_line_hang_from_the_right() -> None:
    marks = [Mark(0, 1, "first", False), Mark(4, 5, "second", False), Mark(8, 11, "third", True)]
    expected = ["-   -   ^^^ third", "|   |", "|   second", "first"]
    assert expected == annotate(marks, 70)


def test_distant_lines_are_parted_by_dots() -> None:
    assert "\n...\n" in text(several_fits())


def test_nothing_heavy_is_imported_for_a_report() -> None:
    heavy = "{'keras', 'numpy', 'sklearn', 'jax', 'rich', 'jinja2'}"
    code = f"import sys, unstuck.report; assert not {heavy} & set(sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_escapes_are_gone_and_words_stay() -> None:
    assert clean(EVIL) == "red link gnp.exe <script>alert(1)</script>"


@pytest.mark.parametrize(
    ("value", "shown"),
    [(-0.26, "−0.260"), (-0.0001, "0.000"), (2.5e7, "2.5e+07"), (float("nan"), "not a number")],
)
def test_numbers_have_three_decimals_and_a_true_minus(value: float, shown: str) -> None:
    assert shown == number(value)


def test_spread_is_the_sample_standard_deviation() -> None:
    assert spread((0.76, 0.86, 0.80, 0.76, 0.80)) == "0.796 ± 0.041"


def test_durations_are_read_easily() -> None:
    assert [duration(s) for s in (2.1, 44, 104, 7500)] == ["2.1 s", "44 s", "1 min 44 s", "2 h 5 min"]


def test_an_interval_is_not_broken_over_lines() -> None:
    assert wrap("changed by [−0.3, +0.2]", 15) == ["changed by", "[−0.3, +0.2]"]


def test_an_empty_report_still_says_something() -> None:
    empty = Report(
        schema="",
        tool=case_a().tool,
        run=msgspec.structs.replace(case_a().run),
        summary=type(case_a().summary)(),
    )
    assert text(empty) == "No verdict was reached.\nNo findings.\n"
