"""Which of several findings the one sentence is about."""

from types import SimpleNamespace
from typing import Any

import pytest

from unstuck.diagnosis.verdict import _verdict, _without_fault


def finding(rule: str, code: str, confidence: str) -> Any:
    words = f"the {rule}"
    return SimpleNamespace(
        rule=rule, code=code, confidence=confidence, severity="warning", explained_by=None, message=words, cure="x1"
    )


CASE: Any = SimpleNamespace(get=lambda kind: SimpleNamespace(steps=9, cut=False, words=""))
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
    skill: Any = SimpleNamespace(best=0.9)
    said = _verdict(CASE, [finding(*one) for one in found], skill, None, None)
    assert said[0] == verdict
    assert (LEAK[0] in said[1]) == (verdict == "misleading")


def test_what_is_proven_and_helps_when_it_is_changed_impairs() -> None:
    skill: Any = SimpleNamespace(best=0.9)
    assert _verdict(CASE, [finding(*TWO, "proven")], skill, None, None, {"x1"})[0] == "impaired"


@pytest.mark.parametrize(("learnable", "said"), [(0.03, "(0.03)"), (float("nan"), "no reference is at hand")])
def test_at_chance_a_reference_is_named_only_where_there_is_one(learnable: float, said: str) -> None:
    skill: Any = SimpleNamespace(best=0.02, held=float("nan"), reported_loss=1.0)
    curve: Any = SimpleNamespace(falls=0.0, non_finite_step=None)
    room: Any = SimpleNamespace(learnable=learnable, exists=False)
    verdict, sentence = _without_fault(CASE, [], skill, curve, room)
    assert "unknown" == verdict
    assert said in sentence
    assert "nan" not in sentence


def test_a_fit_that_raised_before_its_first_step_is_not_called_impaired_by_what_is_likely() -> None:
    never = SimpleNamespace(steps=0, cut=True, words="ended with ValueError: bad before its first step")
    case: Any = SimpleNamespace(get=lambda kind: never)
    skill: Any = SimpleNamespace(best=-1.0)
    said = _verdict(case, [finding(*TWO, "likely")], skill, None, SimpleNamespace(exists=True))  # type: ignore[arg-type]
    assert ("unknown", "Not judged: the fit ended with ValueError: bad before its first step.") == said
