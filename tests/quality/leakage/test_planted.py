"""Small planted leaks of every kind are suspected, by the rule that should; honest twins are not, by any."""

from __future__ import annotations

import numpy as np
import pytest

from tests.quality.leakage.planted import KINDS, Planted, clean
from tests.quality.leakage.witness import suspected

ROWS = 1_000


def cases(make, seed: int) -> list[Planted]:
    return list(make(ROWS, np.random.default_rng(seed)))


@pytest.fixture(autouse=True)
def own_settings(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.mark.parametrize("number", range(len(KINDS)))
def test_a_planted_leak_is_suspected_and_its_honest_twin_is_not(number: int) -> None:
    leak, twin = cases(KINDS[number], number)
    assert set(leak.expected) & set(suspected(leak)), f"{leak.kind} in {leak.data}"
    assert {} == suspected(twin), f"{twin.kind} in {twin.data}"


def test_honest_data_that_look_suspicious_are_cleared() -> None:
    assert {} == {case.kind: said for case in cases(clean, 0) if (said := suspected(case))}
