"""Whether the labels of the other part of a split are those that a fit was given."""

import numpy as np
import pytest

from unstuck.measure.data import _of_one_kind

DIGITS = np.arange(10).repeat(20)
PRICES = np.linspace(100.0, 200.0, 300)


@pytest.mark.parametrize(
    ("given", "other", "same"),
    [
        (DIGITS, DIGITS[::3], True),
        (DIGITS % 2, DIGITS[::3], False),  # odd or even, made of them
        (np.eye(10)[DIGITS], DIGITS[::3], True),  # another form of the same
        (PRICES, PRICES[::3] + 60, True),  # a series that rises
        ((PRICES - PRICES.mean()) / PRICES.std(), PRICES[::3], False),
    ],
)
def test_labels_made_of_others_are_told_from_these(given: np.ndarray, other: np.ndarray, same: bool) -> None:  # noqa: FBT001
    assert same == _of_one_kind(given, other)
