"""Of a handful of rows none are held out: trials train on all of them and are scored on them."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from unstuck.measure.case import Case
from unstuck.measure.data import TOO_FEW, Data


def data_of(rows: int) -> Data:
    arrays = {"train-x0": np.arange(2.0 * rows).reshape(rows, 2), "train-y0": np.arange(rows) % 2}
    fit = SimpleNamespace(arrays=arrays, body={"train": {"rows": rows}}, evaluations=())
    return Data.of(Case(SimpleNamespace(events=()), fit))


def test_the_four_rows_of_xor_are_all_trained_on_and_all_scored() -> None:
    data = data_of(4)
    assert (True, "holdout") == (data.too_few, data.held_kind)
    assert [0, 1, 2, 3] == data.fit_rows.tolist()
    assert np.array_equal(data.x[0], data.held_x[0])


@pytest.mark.parametrize("rows", [TOO_FEW + 1, 400])
def test_of_more_rows_a_quarter_is_held_out(rows: int) -> None:
    data = data_of(rows)
    assert not data.too_few
    assert round(rows / 4) == len(data.held_y) == rows - len(data.fit_rows)
