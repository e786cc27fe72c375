"""A loss of the model's own that reads the inputs too is computed again under other labels, as any other is."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.harness import Bench

from unstuck.rules.broadcast_loss import BroadcastLoss
from unstuck.rules.rule import Example
from unstuck.settings import Settings


@pytest.mark.parametrize(("aligned", "told"), [("y_pred", True), ("keras.ops.squeeze(y_pred, -1)", False)])
def test_weighted_by_an_input(aligned: str, told: bool, bench: Bench, tmp_path: Path) -> None:  # noqa: FBT001
    code = BroadcastLoss.sick.code.replace("keras.ops.square(y - y_pred)", f"keras.ops.square(y - {aligned})")
    code = code.replace("keras.ops.mean(", "keras.ops.mean(x[0, 0] * 0 + ")
    example = Example(code, BroadcastLoss.sick.data)
    report = bench.diagnose(example, tmp_path / "run", Settings(experiments="off"))
    result = next(rule for rule in report.rules if rule.rule == "broadcast-loss")
    assert ("found" if told else "cleared") == result.outcome
