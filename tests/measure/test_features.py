"""The table that reference learners read: what it holds of images, sequences and tokens."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
from tests.rules.test_contract_rules import data_of, dense, layer, setup_of

from unstuck.measure.case import Case
from unstuck.measure.data import Data
from unstuck.measure.features import MAX_COLUMNS, Features, by_step, frequent
from unstuck.measure.setup import Setup

RNG = np.random.default_rng(0)


def features(x, held, *layers):
    case = Case(SimpleNamespace(), SimpleNamespace())
    table, labels = np.zeros((len(x), 1)), np.zeros(len(x))
    data = data_of(table, labels, (np.zeros((len(held), 1)), np.zeros(len(held))))
    case._cache[Data] = replace(data, x=(x,), held_x=(held,))
    case._cache[Setup] = setup_of(*layers, dense(1))
    return case.get(Features)


def test_a_plain_table_stays_as_it_is():
    x, held = RNG.normal(size=(50, 3)), RNG.normal(size=(20, 3))
    found = features(x, held)
    assert found.plain
    np.testing.assert_array_equal(x, found.x)
    np.testing.assert_array_equal(held, found.held_x)


def test_infinities_are_missing_values():
    x = np.array([[1.0, np.inf], [2.0, 3.0]])
    np.testing.assert_array_equal([[1.0, np.nan], [2.0, 3.0]], features(x, x).x)


def test_wide_images_are_projected_and_described_by_what_does_not_depend_on_the_place():
    x, held = RNG.normal(size=(60, 30, 30, 1)), RNG.normal(size=(10, 30, 30, 1))
    found = features(x, held)
    assert not found.plain
    assert (60, 59 + 8) == found.x.shape  # components of 60 rows; mean, std, min, max, and two figures of two axes
    np.testing.assert_allclose(x.mean(axis=(1, 2, 3)), found.x[:, 59])
    assert found.held_x.shape[1] == found.x.shape[1] <= MAX_COLUMNS + 8


def test_tokens_are_counted_where_the_model_embeds_them():
    x = np.array([[1, 1, 2], [2, 3, 3], [1, 1, 1]])
    embedding = layer("Embedding")
    found = features(x, np.array([[9, 1, 1]]), embedding)
    assert not found.plain
    counted = np.expm1(found.x[:, 3:]).round().astype(int)  # the tokens in rising order: 1, 2, 3
    assert [[2, 1, 0], [0, 1, 2], [3, 0, 0]] == counted.tolist()
    assert [[2, 0, 0]] == np.expm1(found.held_x[:, 3:]).round().astype(int).tolist()


def test_a_step_is_described_by_itself_and_its_neighbours():
    tokens = np.array([[5, 7, 5], [7, 7, 9]])
    table = by_step(tokens, frequent(tokens))
    assert [[0, 5, 7], [5, 7, 5], [7, 5, 0], [0, 7, 7], [7, 7, 9], [7, 9, 0]] == table[:, :3].tolist()
    assert [5, 7, 9] == frequent(tokens).tolist()
    assert [0, 1, 0, 1, 1, 2] == table[:, 3:].argmax(axis=1).tolist()
    assert (6, 6) == by_step(RNG.normal(size=(2, 3, 2)), None).shape
