"""Splits drawn again: who may be on which side, that shapes stay, and that seeds differ."""

from __future__ import annotations

import numpy as np
import pytest

from unstuck.experiments.experiment import Experiment
from unstuck.experiments.interventions.hold_out import HoldOut
from unstuck.experiments.interventions.resample_after_split import ResampleAfterSplit
from unstuck.experiments.interventions.split_again import Pool, SplitAgain

TRAIN, HELD = 90, 30


def experiment(weight: np.ndarray | None = None) -> Experiment:
    """Rows that are their own number; the label is the last digit, odd or even."""
    rows = np.arange(TRAIN + HELD, dtype=np.float32)[:, None]
    labels = (rows[:, 0] % 2).astype(np.float32)
    return Experiment({}, {}, (rows[:TRAIN],), labels[:TRAIN], (rows[TRAIN:],), 10, 1, weight=weight)


def pool() -> Pool:
    labels = np.arange(TRAIN + HELD) % 2
    return Pool(labels[:TRAIN], labels[TRAIN:].astype(np.float32))


HELD_LABELS = np.arange(TRAIN, TRAIN + HELD) % 2


@pytest.mark.parametrize("how", ["at random", "by group", "by time"])
@pytest.mark.parametrize("seed", [0, 1, 7])
def test_labels_stay_with_their_rows_and_no_row_is_on_both_sides(how, seed: int) -> None:
    split = SplitAgain(pool(), how, np.arange(TRAIN + HELD) // 5)
    changed, labels = split.for_seed(experiment(), HELD_LABELS, seed)
    assert (TRAIN, HELD) == (len(changed.y), len(labels))
    assert np.array_equal(changed.x[0][:, 0] % 2, changed.y)
    assert np.array_equal(changed.y, changed.scored_y)
    assert np.array_equal(changed.held_x[0][:, 0] % 2, labels)
    assert not np.isin(changed.x[0], changed.held_x[0]).any()


def test_a_split_by_group_leaves_no_group_on_both_sides() -> None:
    groups = np.arange(TRAIN + HELD) // 5
    changed, _ = SplitAgain(pool(), "by group", groups).for_seed(experiment(), HELD_LABELS, 3)
    one, other = (set(x[:, 0].astype(int) // 5) for x in (changed.x[0], changed.held_x[0]))
    assert not one & other


def test_a_split_by_time_holds_out_a_block_with_a_gap_first_the_last_one() -> None:
    split = SplitAgain(pool(), "by time", np.arange(TRAIN + HELD), gap=4)
    changed, _ = split.for_seed(experiment(), HELD_LABELS, 0)
    assert list(range(TRAIN, TRAIN + HELD)) == changed.held_x[0][:, 0].astype(int).tolist()
    assert TRAIN - 5 == changed.x[0].max()
    starts = set()
    for seed in range(1, 6):
        changed, _ = split.for_seed(experiment(), HELD_LABELS, seed)
        held = changed.held_x[0][:, 0]
        assert HELD - 1 == held.max() - held.min()
        assert np.abs(changed.x[0] - held[None, :]).min() > 4
        starts.add(float(held.min()))
    assert len(starts) > 1


def test_the_baseline_of_a_split_keeps_the_recorded_one_for_the_first_seed() -> None:
    baseline = SplitAgain(pool(), "by group", np.arange(TRAIN + HELD)).baseline
    assert baseline is not None
    base = experiment()
    assert base is baseline.for_seed(base, HELD_LABELS, 0)[0]
    assert not np.array_equal(base.x[0], baseline.for_seed(base, HELD_LABELS, 1)[0].x[0])


def test_class_weights_follow_their_classes() -> None:
    weighted = experiment(np.where(np.arange(TRAIN) % 2, 3.0, 1.0).astype(np.float32))
    changed, _ = SplitAgain(pool(), "at random").for_seed(weighted, HELD_LABELS, 1)
    assert np.array_equal(np.where(changed.y == 1, 3.0, 1.0), changed.weight)


def test_held_out_copies_take_their_copies_along() -> None:
    groups = np.arange(TRAIN) // 3
    changed, labels = HoldOut(np.arange(TRAIN) % 2, groups).for_seed(experiment(), HELD_LABELS, 2)
    one, other = (set(x[:, 0].astype(int) // 3) for x in (changed.x[0], changed.held_x[0]))
    assert not one & other
    assert round(TRAIN / 4) == len(labels)
    assert TRAIN == len(changed.y)


def test_resampling_after_the_split_uses_original_rows_only_and_keeps_the_class_shares() -> None:
    made = np.arange(TRAIN + HELD) % 4 == 1
    groups = np.arange(TRAIN + HELD)
    changed, labels = ResampleAfterSplit(pool(), made, groups).for_seed(experiment(), HELD_LABELS, 1)
    used = np.concatenate([changed.x[0][:, 0], changed.held_x[0][:, 0]]).astype(int)
    assert not made[used].any()
    assert not np.isin(changed.x[0], changed.held_x[0]).any()
    assert (HELD_LABELS.mean(), 0.5) == (labels.mean(), changed.y.mean())
