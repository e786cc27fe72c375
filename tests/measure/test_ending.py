"""How a fit ended, and that one which was cut off is not accused of being short."""

from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import numpy as np
import pytest

from unstuck.measure.training.ending import Ending
from unstuck.rules.rule import Cleared, NotApplicable, Suspect
from unstuck.rules.too_few_updates import TooFewUpdates


def ending(end: dict[str, Any], *, steps: int = 12, epochs: int = 6) -> Ending:
    fit = SimpleNamespace(end=end, losses=np.zeros((steps, 3)), body={"epochs": epochs}, epochs=({},) * (steps // 10))
    return Ending.of(SimpleNamespace(fit=fit))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("end", "steps", "words"),
    [
        ({"status": "interrupted"}, 12, "was interrupted after 12 steps, in epoch 2 of 6"),
        ({"status": "raised", "error": "ValueError: bad\nmore"}, 0, "ended with ValueError: bad before its first step"),
        ({}, 1, "did not come to its end after 1 step, in epoch 1 of 6"),
    ],
)
def test_a_fit_that_was_cut_off_says_how_and_where(end: dict[str, Any], steps: int, words: str) -> None:
    assert (True, words) == (ending(end, steps=steps).cut, ending(end, steps=steps).words)


@pytest.mark.parametrize(("status", "answer"), [("interrupted", NotApplicable), ("completed", Cleared)])
def test_few_steps_are_held_against_a_fit_only_if_it_ended_by_itself(status: str, answer: type) -> None:
    curve: Any = SimpleNamespace(losses=np.zeros(12), diverged=False, falls=0.0)
    skill: Any = SimpleNamespace(train=0.5)
    repeats: Any = SimpleNamespace(count=1)
    setup: Any = SimpleNamespace(optimizer=SimpleNamespace(config={}))
    assert isinstance(TooFewUpdates().check(setup, curve, skill, repeats, ending({"status": status}), None), answer)


@pytest.mark.parametrize(("gathered", "confidence"), [(500, "proven"), (50, "likely")])
def test_batches_that_are_gathered_for_one_update_are_no_updates(gathered: int, confidence: str) -> None:
    curve: Any = SimpleNamespace(losses=np.zeros(400), diverged=False, falls=0.0, first=0.7, last=0.7)
    skill: Any = SimpleNamespace(train=0.0)
    repeats: Any = SimpleNamespace(count=1)
    setup: Any = MagicMock()
    setup.optimizer.config = {"gradient_accumulation_steps": gathered}
    found = TooFewUpdates().check(setup, curve, skill, repeats, ending({"status": "completed"}), None)
    assert isinstance(found, Suspect)
    assert (confidence, 400 // gathered, "no gradient accumulation") == (
        found.confidence,
        found.evidence[0].value,
        found.cures[0].label,
    )
