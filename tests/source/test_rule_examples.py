"""The examples of all rules, read and not run: healthy ones say nothing, sick ones say what stands in their source."""

from __future__ import annotations

from pathlib import Path

import pytest

from unstuck.rules import Rule, catalogue
from unstuck.source.check import Asked, check_file
from unstuck.source.witnesses import witnesses

GIVEN = "import numpy as np\nimport keras\nx, y, x_val, y_val = (np.load(name) for name in 'abcd')\n"
IN_THE_DATA = {
    "accuracy-on-regression",
    "bounded-output",
    "class-loss-on-regression",
    "frozen-random-weights",
    "generator-class-mode",
    "inference-preprocessing-differs",
    "label-format-mismatch",
    "look-ahead-window",
    "misaligned-labels",
    "missing-flatten",
    "ordered-validation-split",
    "overlapping-rows",
    "relu-output-negative-targets",
    "rescaled-twice",
    "sequence-output-for-single-target",
    "shuffled-predictions",
    "softmax-for-multilabel",
    "target-in-features",
    "vocabulary-refit",
}
"""Rules whose sick example has its fault in values or in code of its own kind, where the source says nothing."""
POSSIBLE = {"sigmoid-with-categorical-loss"}
"""Patterns that usually work: named only when asked for."""
BY_NAME = {rule.name: rule for rule in catalogue()}


def said(code: str, folder: Path) -> dict[str, str]:
    file = folder / "train.py"
    file.write_text(GIVEN + code, encoding="utf-8")
    checked = check_file(file, Asked())
    assert not checked.trouble and not checked.crashed
    return {finding.rule: finding.confidence for finding in checked.findings}


@pytest.mark.parametrize("rule", catalogue(), ids=lambda rule: rule.name)
def test_a_healthy_example_is_not_accused(rule: type[Rule], tmp_path: Path) -> None:
    assert {name for name, sure in said(rule.healthy.code, tmp_path).items() if sure != "possible"} == set()


@pytest.mark.parametrize("name", sorted({w.name for w in witnesses()} & BY_NAME.keys() - IN_THE_DATA))
def test_a_sick_example_is_found_in_its_source(name: str, tmp_path: Path) -> None:
    found = said(BY_NAME[name].sick.code, tmp_path)
    assert name in found
    assert (found[name] == "possible") == (name in POSSIBLE)
