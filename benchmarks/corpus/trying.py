"""Cures of nobody's suspicion, tried as ours are."""

from __future__ import annotations

from unstuck.diagnosis import Workers
from unstuck.diagnosis.judge import Judged, result
from unstuck.diagnosis.testing import test
from unstuck.finding import Trial
from unstuck.measure.case import Case
from unstuck.rules import catalogue
from unstuck.rules.rule import Suspect


def tried(case: Case, suspect: Suspect, workers: Workers, *, seconds: float, seeds: int) -> list[Trial]:
    """The trials of a suspect's cures that were run, for which any rule stands."""
    rule = catalogue()[0]
    judged = Judged(rule, result(rule, case, "found", ""), suspect)
    tested = test(case, [judged], executors=workers.executor, budget=seconds, seeds=seeds, progress=lambda _: None)
    return [trial for trial in tested.trials if trial.role == "intervention" and trial.value]
