from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from unstuck.experiments.interventions.refit_edit import split_first
from unstuck.measure.code.source import Sources
from unstuck.measure.leakage.provenance import Fitted

SPLIT = "X_train, X_val, y_train, y_val = train_test_split({}, y)\n"


@dataclass(frozen=True)
class Program:
    sources: Sources


def site(text: str, needle: str) -> dict[str, Any]:
    line = next(i for i, row in enumerate(text.splitlines(), 1) if needle in row)
    row = text.splitlines()[line - 1]
    start = row.index(needle)
    end = row.index(")", start + len(needle)) + 1 if "(X" in row else len(row)
    return {"file": "a.py", "line": line, "column": start + 1, "end_line": line, "end_column": end + 1}


def fix(text: str, *needles: str) -> Any:
    split = site(text, "train_test_split(")
    leaks = [Fitted("Scaler", "m", "fit_transform", False, 1, 8, 2, 2, site(text, needle), split) for needle in needles]
    return split_first(Program(Sources({"a.py": tuple(text.splitlines())}, "")), leaks)  # type: ignore[arg-type]


def applied(text: str, edits: Any) -> str:
    rows = text.splitlines(keepends=True)
    starts = [0]
    for row in rows:
        starts.append(starts[-1] + len(row))
    for edit in sorted(edits, key=lambda e: e.start, reverse=True):
        begin, end = (starts[line - 1] + column - 1 for line, column in (edit.start, edit.end))
        text = text[:begin] + edit.text + text[end:]
    return text


def test_a_scaler_moves_behind_the_split() -> None:
    text = "X = scaler.fit_transform(X)\n" + SPLIT.format("X") + "model.fit(X_train, y_train)\n"
    found = fix(text, "scaler.fit_transform(")
    expected = (
        SPLIT.format("X")
        + "X_train = scaler.fit_transform(X_train)\nX_val = scaler.transform(X_val)\nmodel.fit(X_train, y_train)\n"
    )
    assert ("suggested", expected) == (found.applicability, applied(text, found.edits))


def test_a_new_name_for_the_scaled_table_is_taken_out_of_the_split() -> None:
    text = "S = scaler.fit_transform(X)\n" + SPLIT.format("S")
    expected = SPLIT.format("X") + "X_train = scaler.fit_transform(X_train)\nX_val = scaler.transform(X_val)\n"
    assert expected == applied(text, fix(text, "scaler.fit_transform(").edits)


def test_a_selector_made_on_the_spot_gets_a_name_and_the_training_labels() -> None:
    text = "X = SelectKBest(k=3).fit_transform(X, y)\n" + SPLIT.format("X")
    call = {**site(text, "SelectKBest("), "end_column": 41}
    leak = Fitted("SelectKBest", "m", "fit_transform", True, 1, 8, 2, 2, call, site(text, "train_test_split("))
    found = split_first(Program(Sources({"a.py": tuple(text.splitlines())}, "")), [leak])  # type: ignore[arg-type]
    expected = (
        SPLIT.format("X")
        + "transformer = SelectKBest(k=3)\nX_train = transformer.fit_transform(X_train, y_train)\n"
        + "X_val = transformer.transform(X_val)\n"
    )
    assert expected == applied(text, found.edits)


def test_parts_that_take_over_the_name_of_the_table_are_no_obstacle() -> None:
    text = "x = scaler.fit_transform(X)\nx, x_val, y, y_val = train_test_split(x, y)\nmodel.fit(x, y)\n"
    found = fix(text, "scaler.fit_transform(")
    expected = (
        "x, x_val, y, y_val = train_test_split(X, y)\n"
        "x = scaler.fit_transform(x)\nx_val = scaler.transform(x_val)\nmodel.fit(x, y)\n"
    )
    assert ("suggested", expected) == (found.applicability, applied(text, found.edits))


def test_a_table_that_is_read_between_fit_and_split_makes_it_a_sketch() -> None:
    text = "X = scaler.fit_transform(X)\nprint(X.mean())\n" + SPLIT.format("X")
    assert "sketch" == fix(text, "scaler.fit_transform(").applicability


def test_a_table_that_is_read_again_later_makes_it_a_sketch() -> None:
    text = "S = scaler.fit_transform(X)\n" + SPLIT.format("S") + "model.predict(S)\n"
    assert "sketch" == fix(text, "scaler.fit_transform(").applicability


@pytest.mark.parametrize(
    "text",
    [
        "X = make(scaler.fit_transform(X))\n" + SPLIT.format("X"),
        "X = scaler.fit_transform(X)\nparts = train_test_split(X, y)\n",
        "def f(X, y):\n    X = scaler.fit_transform(X)\n    return train_test_split(X, y)\n",
    ],
)
def test_what_cannot_be_moved_is_a_sketch_without_edits(text: str) -> None:
    found = fix(text, "scaler.fit_transform(")
    assert ("sketch", ()) == (found.applicability, found.edits)
