"""How good a rule is: what the quality corpus counted last, kept beside the rules for `unstuck explain`."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

KEPT = Path(__file__).with_name("worth.json")
"""Rule -> [programs it was said of, of which it is a labelled cause, healthy ones it called an error]."""


def worth_of(name: str) -> str:
    """In words; a rule that was said of no program is not measured."""
    said, right, alarms = _kept().get(name, (0, 0, 0))
    if not said:
        return "Not measured yet: the quality corpus has no program of which it was said."
    called = (
        f"it was called an error of {alarms} healthy ones" if alarms else "no healthy one was called an error by it"
    )
    return f"Said of {said} programs of the quality corpus, it is a labelled cause of {right}; {called}."


@cache
def _kept() -> dict[str, tuple[int, int, int]]:
    found: dict[str, tuple[int, int, int]] = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else {}
    return found
