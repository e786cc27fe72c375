from __future__ import annotations

import numpy as np
import pytest
from sklearn import datasets

from unstuck.measure.leakage.near import nearest, scaled


def halves(x: np.ndarray, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    order = np.random.default_rng(seed).permutation(len(x))
    cut = len(x) * 3 // 4
    return x[order[:cut]], x[order[cut:]]


@pytest.mark.parametrize("name", ["wine", "breast_cancer", "diabetes", "digits"])
def test_no_row_of_a_bundled_data_set_is_a_near_copy_but_for_equal_ones(name: str) -> None:
    x = getattr(datasets, f"load_{name}")(return_X_y=True)[0]
    train, held = scaled(*halves(np.unique(x, axis=0)))
    assert 0 == nearest(train, held).near.sum()


@pytest.mark.parametrize("columns", [2, 5, 20, 100])
def test_clouds_of_any_dimension_have_no_near_copies(columns: int) -> None:
    x = np.random.default_rng(columns).normal(size=(3_000, columns))
    assert nearest(*scaled(*halves(x))).near.sum() <= 2  # of 750, where 0.1 are expected


@pytest.mark.parametrize("columns", [8, 30, 150])
def test_copies_with_a_hundredth_of_noise_are_found_with_the_row_they_are_of(columns: int) -> None:
    rng = np.random.default_rng(0)
    train, held = scaled(*halves(rng.normal(size=(2_000, columns))))
    held[:50] = train[100:150] + 0.01 * rng.normal(size=(50, columns))
    found = nearest(train, held)
    assert list(range(100, 150)) == found.index[:50].tolist()
    assert found.near[:50].mean() > 0.7
    assert 0 == found.near[50:].sum()


def test_the_dimension_of_the_cloud_is_measured() -> None:
    rng = np.random.default_rng(0)
    plane = rng.uniform(size=(4_000, 2)) @ rng.normal(size=(2, 40))
    assert nearest(plane[:3_000], plane[3_000:]).dimension == pytest.approx(2, abs=0.5)


def test_several_noisy_copies_of_each_image_are_found_where_no_single_one_is_near_enough() -> None:
    rng = np.random.default_rng(0)
    images = datasets.load_digits().images.reshape(-1, 64)[:300] / 16
    copies = np.concatenate([images + rng.normal(0, 0.05, images.shape) for _ in range(4)])
    found = nearest(*scaled(*halves(copies), pixels=True))
    assert found.near.mean() > 0.2
    assert 0 == nearest(*scaled(*halves(datasets.load_digits().images.reshape(-1, 64)), pixels=True)).near.sum()
