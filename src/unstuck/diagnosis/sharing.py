"""How the budget of a diagnosis is shared among the fits of a run: in loops the same fit comes again and again."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from unstuck.diagnosis.judge import Judged
from unstuck.diagnosis.testing import Tested, test
from unstuck.measure.case import Case
from unstuck.measure.training.repeats import written
from unstuck.record.recorded import RecordedFit

LEAST = 20.0
"""Seconds that the trials of one fit get at least while any are left: a few seconds for each fit decide nothing."""


class Sharing:
    """Fits that differ share what is left; one that is written as an earlier one and has the same suspects borrows its
    trials. Leaks are in the rows, which differ from fit to fit, so they are tried anew.
    """

    def __init__(self, fits: Sequence[RecordedFit], budget: float) -> None:
        self._waiting = [written(fit) for fit in fits]
        self._left = budget
        self._tried: dict[str, tuple[frozenset[str], Tested]] = {}

    def test(self, case: Case, judged: Sequence[Judged], **more: Any) -> Tested:
        """`testing.test` of the next fit, for as long as its share lasts."""
        own = self._waiting[0]
        share = min(self._left, max(self._left / len(set(self._waiting)), LEAST))
        self._waiting = self._waiting[1:]
        suspects = {j.rule.name: s for j in judged if (s := j.suspect) is not None and (s.cures or s.rivals)}
        asked = frozenset(suspects)
        known, earlier = self._tried.get(own, (frozenset(), Tested()))
        if asked and asked == known and not any(suspect.harm for suspect in suspects.values()):
            return earlier
        began = time.monotonic()
        tested = replace(test(case, judged, budget=share, **more), fit=case.fit.index)
        self._left = max(0.0, self._left - (time.monotonic() - began))
        if tested.trials and not tested.problem:
            self._tried.setdefault(own, (asked, tested))
        return tested
