from __future__ import annotations

from pathlib import Path

from unstuck.finding import Finding, Location
from unstuck.source.check import Asked, check_file
from unstuck.source.suppressions import Obeyed, directives, obey

FINDING = Finding(
    rule="dying-relu",
    code="ACT101",
    fingerprint="v1:1",
    severity="error",
    confidence="confirmed",
    message="dead",
    location=Location(file="train.py", line=2, end_line=4),
    related=(Location(file="train.py", line=9),),
)


def told(*lines: str, finding: Finding = FINDING, judged: tuple[str, ...] = ("dying-relu", "ACT101")) -> Obeyed:
    return obey([finding], directives(lines, "train.py"), judged)


def rules(obeyed: Obeyed) -> list[str]:
    return [finding.rule for finding in obeyed.kept + obeyed.notes]


def test_a_comment_with_the_name_or_the_code_suppresses_at_its_line() -> None:
    for name in ("dying-relu", "ACT101", "other, dying-relu"):
        obeyed = told("", f"layer = 1  # unstuck: ignore[{name}] by design")
        assert (rules(obeyed), [f.outcome for f in obeyed.suppressed]) == ([], ["suppressed"])


def test_a_comment_inside_the_call_or_at_a_line_named_beside_suppresses_too() -> None:
    assert rules(told("", "", "x = 1  # unstuck: ignore[dying-relu] by design")) == []
    assert rules(told(*[""] * 8, "fit()  # unstuck: ignore[dying-relu] by design")) == []


def test_a_comment_elsewhere_or_for_another_rule_does_not() -> None:
    assert rules(told(*[""] * 5, "x = 1  # unstuck: ignore[dying-relu] by design"))[0] == "dying-relu"
    assert rules(told("", "x = 1  # unstuck: ignore[no-signal] by design")) == ["dying-relu"]


def test_a_comment_for_the_whole_file_holds_on_every_line() -> None:
    assert rules(told(*[""] * 30, "# unstuck: file-ignore[dying-relu] teaching example")) == []


def test_text_that_looks_like_a_comment_is_none() -> None:
    assert rules(told("", 'x = "# unstuck: ignore[dying-relu] by design"')) == ["dying-relu"]


def test_there_is_no_form_without_names() -> None:
    assert rules(told("", "x = 1  # unstuck: ignore")) == ["dying-relu", "unused-suppression"]


def test_a_comment_that_suppresses_nothing_is_reported_if_its_rules_were_tried() -> None:
    lines = [""] * 30 + ["x = 1  # unstuck: ignore[dying-relu] by design"]
    assert rules(told(*lines)) == ["dying-relu", "unused-suppression"]
    assert rules(told(*lines, judged=())) == ["dying-relu"]


def test_a_reason_is_asked_for() -> None:
    assert rules(told("", "x = 1  # unstuck: ignore[dying-relu]")) == ["suppression-without-reason"]


def test_another_file_and_another_cell_are_not_spoken_of() -> None:
    there = directives(["", "x = 1  # unstuck: ignore[dying-relu] by design"], "other.py")
    cell = directives(["", "x = 1  # unstuck: ignore[dying-relu] by design"], "train.py", 3)
    assert [len(obey([FINDING], known, ()).kept) for known in (there, cell)] == [1, 1]


def test_check_obeys_the_comments_of_a_script(tmp_path: Path) -> None:
    code = (
        "import keras\nmodel = keras.Sequential([keras.layers.Dense(1, activation='softmax')])"
        "{comment}\nmodel.compile('adam', 'mse')\nmodel.fit(1, 2)\n"
    )
    file = tmp_path / "train.py"
    file.write_text(code.format(comment="  # unstuck: ignore[softmax-on-one-unit] a gate"))
    checked = check_file(file, Asked())
    assert (checked.findings, [f.rule for f in checked.suppressed]) == ((), ["softmax-on-one-unit"])
