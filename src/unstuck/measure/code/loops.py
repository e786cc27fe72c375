"""Whether the training is a loop of the person's over train_on_batch, and on which Keras."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from unstuck.measure.case import Case
from unstuck.measure.code.own_code import OwnCode, calls_in


@dataclass(frozen=True)
class Loop:
    """`resets`: whether the source calls reset_metrics."""

    by_batches: bool
    version: tuple[int, ...]
    resets: bool

    @classmethod
    def of(cls, case: Case) -> Self:
        code, body = case.get(OwnCode), case.fit.body
        text = str(body.get("environment", {}).get("versions", {}).get("keras", ""))
        version = tuple(int(part) for part in re.findall(r"\d+", text)[:2])
        resets = any(name == "reset_metrics" for _, parsed in code.trees for name, _ in calls_in(parsed))
        return cls(bool(body.get("loop")), version, resets)
