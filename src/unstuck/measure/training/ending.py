"""How a fit ended: by itself, or cut off before it had done what it was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from unstuck.measure.case import Case


@dataclass(frozen=True)
class Ending:
    """The end of a fit.

    Attributes:
        cut: it was interrupted, killed or ended by an exception: how short it was is no fault of what was written.
        steps: optimiser steps made until then.
        words: `was interrupted after 12 steps, in epoch 1 of 6`.
        error: what it raised, all lines of it; empty where it raised nothing.
    """

    cut: bool
    steps: int
    words: str
    error: str = ""

    @classmethod
    def of(cls, case: Case) -> Self:
        end, steps, planned = case.fit.end, len(case.fit.losses), int(case.fit.body.get("epochs") or 1)
        status, error = end.get("status"), str(end.get("error") or "")
        first = error.partition("\n")[0]
        how = {"raised": f"ended with {first[:120]}", "interrupted": "was interrupted"}.get(
            str(status), "did not come to its end"
        )
        if not steps:
            where = "before its first step"
        else:
            of = f", in epoch {min(len(case.fit.epochs) + 1, planned)} of {planned}" if planned > 1 else ""
            where = f"after {steps} step{'s' if steps > 1 else ''}{of}"
        return cls(cut=status != "completed", steps=steps, words=f"{how} {where}", error=error)
