"""Numbers of words are told from pixels, counts, tables and series."""

from __future__ import annotations

import numpy as np
import pytest

from unstuck.measure.tokens import _told, sequences

RNG = np.random.default_rng(0)


def _texts(padded: bool, front: bool = False) -> np.ndarray:  # noqa: FBT001, FBT002
    words = 1 + RNG.permutation(300)
    often = 1 / np.arange(1, 301)
    rows = RNG.choice(words, (600, 30), p=often / often.sum())
    if padded:
        for row in rows:
            end = RNG.integers(0, 15)
            row[:end] = 0
    return rows if front or not padded else rows[:, ::-1]


@pytest.mark.parametrize(
    ("rows", "padded"), [(_texts(True), True), (_texts(True, front=True), True), (_texts(False), False)]
)
def test_words_are_found_with_and_without_padding(rows: np.ndarray, padded: bool) -> None:  # noqa: FBT001
    assert _told(rows) == (301, 30, padded)
    flat = sequences(rows[..., None].astype("float32"))
    assert flat is not None
    assert _told(flat) == (301, 30, padded)


def _pixels() -> np.ndarray:
    from sklearn.datasets import load_digits

    images = np.repeat(np.repeat(load_digits().images, 2, 1), 2, 2) * 15
    return (images + RNG.integers(0, 6, images.shape) * (images > 0)).reshape(len(images), -1)


@pytest.mark.parametrize(
    "rows",
    [
        _pixels(),
        RNG.integers(0, 60, (500, 10)),
        RNG.poisson(30, (500, 10)),
        np.floor(np.exp(RNG.normal(3, 1, (800, 10)))),
        np.floor(100 + np.cumsum(RNG.normal(size=(400, 30)), axis=1)).clip(0),
        np.stack([RNG.integers(0, top, 500) for top in (3, 100, 20, 1000, 7, 60)], axis=1),
    ],
    ids=["pixels", "dice", "counts", "large counts", "walks", "table"],
)
def test_other_whole_numbers_are_no_words(rows: np.ndarray) -> None:
    assert _told(rows)[0] == 0


def test_fractions_and_negative_numbers_are_no_words() -> None:
    assert sequences(RNG.normal(size=(50, 10))) is None
    assert sequences(np.full((50, 10), np.nan)) is None
    assert sequences(RNG.integers(0, 9, (50, 10, 3))) is None
