"""Which of several findings the one sentence is about."""

from types import SimpleNamespace
from typing import Any

import pytest

from unstuck.diagnosis.verdict import _verdict


def finding(rule: str, code: str, confidence: str) -> Any:
    words = f"the {rule}"
    return SimpleNamespace(
        rule=rule, code=code, confidence=confidence, severity="warning", explained_by=None, message=words, cure="x1"
    )


LEAK, SHORT, TWO = ("target-in-features", "LEK301"), ("too-few-updates", "OPT107"), ("dropout-too-strong", "CAP202")


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        ([(*SHORT, "confirmed")], "unfinished"),
        ([(*LEAK, "confirmed"), (*SHORT, "confirmed")], "misleading"),
        ([(*LEAK, "proven"), (*SHORT, "confirmed")], "misleading"),
        ([(*LEAK, "confirmed"), (*TWO, "confirmed")], "misleading"),
        ([(*LEAK, "proven"), (*TWO, "confirmed")], "impaired"),
        ([(*LEAK, "likely"), (*SHORT, "confirmed")], "unfinished"),
    ],
)
def test_a_leak_that_was_priced_is_said_before_what_more_training_brings(found: list[Any], verdict: str) -> None:
    case: Any = SimpleNamespace()
    skill: Any = SimpleNamespace(best=0.9)
    said = _verdict(case, [finding(*one) for one in found], skill, None, None)
    assert said[0] == verdict
    assert (LEAK[0] in said[1]) == (verdict == "misleading")


def test_what_is_proven_and_helps_when_it_is_changed_impairs() -> None:
    case: Any = SimpleNamespace()
    skill: Any = SimpleNamespace(best=0.9)
    assert _verdict(case, [finding(*TWO, "proven")], skill, None, None, {"x1"})[0] == "impaired"
