"""A number of the row among the features: found where the rows were sorted by label, and not otherwise."""

from __future__ import annotations

import numpy as np
import pytest

from unstuck.measure.leakage.proxies import Proxies
from unstuck.measure.leakage.solo import Solo
from unstuck.measure.task import Task

ROWS = 400


def found(number: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> list[str]:
    """Kinds of proxies found with `number` beside three columns of noise, standardised, a quarter held out."""
    table = np.column_stack([number, rng.normal(size=(len(y), 3))])
    table = ((table - table.mean(axis=0)) / table.std(axis=0)).astype("float32").astype(float)
    kept = np.sort(rng.permutation(len(y))[: len(y) * 3 // 4])
    task = Task("multiclass", 3, y[kept], y[:5], np.bincount(y[kept]) / len(kept))
    proxies = Proxies.measure(table[kept], task, Solo.measure(table[kept], task), held=len(y) - len(kept))
    return [proxy.kind for proxy in proxies.found]


@pytest.mark.parametrize("dropped", [0.0, 0.2])
def test_numbers_of_rows_that_were_sorted_by_label_are_found(dropped: float) -> None:
    rng = np.random.default_rng(0)
    kept = np.sort(rng.permutation(ROWS)[: round(ROWS * (1 - dropped))])
    assert ["row number"] == found(kept + 1.0, np.sort(rng.integers(0, 3, len(kept))), rng)


def test_numbers_of_rows_in_any_order_are_no_proxy() -> None:
    rng = np.random.default_rng(0)
    assert [] == found(np.arange(ROWS) + 1.0, rng.integers(0, 3, ROWS), rng)


@pytest.mark.parametrize("kind", ["measured", "whole numbers far apart", "few whole numbers"])
def test_a_column_that_tells_the_class_and_numbers_no_rows_is_no_row_number(kind: str) -> None:
    rng = np.random.default_rng(0)
    y = np.sort(rng.integers(0, 3, ROWS))
    values = {
        "measured": np.sort(rng.normal(size=ROWS)),
        "whole numbers far apart": np.sort(rng.choice(50 * ROWS, ROWS, replace=False)),
        "few whole numbers": np.sort(rng.integers(0, 60, ROWS)),
    }
    assert "row number" not in found(values[kind].astype(float), y, rng)
