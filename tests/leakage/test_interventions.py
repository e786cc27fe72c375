from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.preprocessing import StandardScaler

from unstuck.experiments.experiment import Experiment
from unstuck.experiments.interventions.drop_features import DropFeatures
from unstuck.experiments.interventions.permute_labels import PermuteLabels
from unstuck.experiments.interventions.refit_preprocessor import RefitPreprocessor
from unstuck.experiments.interventions.remove_overlap import RemoveOverlap
from unstuck.experiments.interventions.resplit import Resplit
from unstuck.measure.data import Data
from unstuck.measure.leakage.provenance import Provenance
from unstuck.measure.task import Task


def experiment_of(case) -> Experiment:
    data = case.get(Data)
    cast = lambda a: a.astype(np.float32)
    return Experiment(
        model={},
        compile={},
        x=tuple(map(cast, data.x)),
        y=data.y,
        held_x=tuple(map(cast, data.held_x)),
        batch_size=8,
        epochs=1,
    )


def shapes(experiment: Experiment) -> list[tuple[int, ...]]:
    return [a.shape for a in (*experiment.x, experiment.y, *experiment.held_x)]


@pytest.fixture
def leaky(program):
    """Scaled, then selected on all rows, then split at random."""
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(120, 300)), rng.integers(0, 2, 120)
    x = StandardScaler().fit_transform(x)
    x = SelectKBest(f_classif, k=10).fit_transform(x, y)
    a, b, c, d = program.split(x, y)
    return program.fit(a, c, b, d)


def resplit_of(case) -> Resplit:
    rerun = case.get(Provenance).rerun
    assert rerun is not None
    return Resplit.of(rerun, case.get(Data), case.get(Task))


def test_running_the_preparation_again_as_written_gives_the_recorded_arrays(leaky) -> None:
    base, held = experiment_of(leaky), leaky.get(Task).held_y
    again, labels = resplit_of(leaky).draw(base, held, 0, honest=frozenset(), shuffled=False)
    assert np.array_equal(base.x[0], again.x[0])
    assert np.array_equal(base.held_x[0], again.held_x[0])
    assert np.array_equal(base.y, again.y)
    assert held.tolist() == labels.tolist()


@pytest.mark.parametrize("seed", [0, 1, 5])
def test_every_variant_keeps_the_shapes(leaky, seed: int) -> None:
    base, held, resplit = experiment_of(leaky), leaky.get(Task).held_y, resplit_of(leaky)
    honest = resplit.leaky(supervised=True)
    for stages in (frozenset(), honest):
        for shuffled in (False, True):
            drawn, labels = resplit.draw(base, held, seed, honest=stages, shuffled=shuffled)
            assert shapes(base) == shapes(drawn)
            assert held.shape == labels.shape


def test_the_variants_of_one_seed_share_split_and_shuffle(leaky) -> None:
    base, held, resplit = experiment_of(leaky), leaky.get(Task).held_y, resplit_of(leaky)
    for shuffled in (False, True):
        as_written = resplit.draw(base, held, 4, honest=frozenset(), shuffled=shuffled)
        honest = resplit.draw(base, held, 4, honest=frozenset({0, 1}), shuffled=shuffled)
        assert as_written[0].y.tolist() == honest[0].y.tolist()
        assert as_written[1].tolist() == honest[1].tolist()


def test_other_seeds_draw_other_splits_of_the_same_rows(leaky) -> None:
    base, held, resplit = experiment_of(leaky), leaky.get(Task).held_y, resplit_of(leaky)
    total = base.y.sum() + held.sum()
    sums = []
    for seed in range(6):
        drawn, labels = resplit.draw(base, held, seed, honest=frozenset(), shuffled=False)
        assert total == drawn.y.sum() + labels.sum()
        sums.append(float(drawn.x[0].sum()))
    assert 6 == len(set(sums))


def test_held_out_labels_never_reach_an_honest_refit(leaky) -> None:
    base, held, resplit = experiment_of(leaky), leaky.get(Task).held_y, resplit_of(leaky)
    cure = RefitPreprocessor(resplit, frozenset({0, 1}))
    first, _ = cure.for_seed(base, held, 0)
    other, labels = replace(cure, resplit=replace(resplit, held_y=1 - resplit.held_y)).for_seed(base, 1 - held, 0)
    assert np.array_equal(first.x[0], other.x[0])
    assert np.array_equal(first.held_x[0], other.held_x[0])
    assert np.array_equal(first.x[0], cure.apply(base).x[0])
    assert (1 - held).tolist() == labels.tolist()


def test_held_out_labels_do_reach_the_preparation_as_written(leaky) -> None:
    base, held, resplit = experiment_of(leaky), leaky.get(Task).held_y, resplit_of(leaky)
    other = resplit.draw(base, 1 - held, 0, honest=frozenset(), shuffled=False)[0]
    assert not np.array_equal(base.x[0], other.x[0])


def test_the_honest_refit_equals_what_scikit_learn_gives(leaky) -> None:
    base, held, resplit = experiment_of(leaky), leaky.get(Task).held_y, resplit_of(leaky)
    rerun = resplit.rerun
    scaler = StandardScaler().fit(rerun.raw[rerun.train])
    train, other = scaler.transform(rerun.raw[rerun.train]), scaler.transform(rerun.raw[rerun.held])
    selector = SelectKBest(f_classif, k=10).fit(train, base.y)
    drawn, _ = RefitPreprocessor(resplit, frozenset({0, 1})).for_seed(base, held, 0)
    np.testing.assert_allclose(selector.transform(train), drawn.x[0], rtol=1e-5)
    np.testing.assert_allclose(selector.transform(other), drawn.held_x[0], rtol=1e-5)


def test_a_split_that_was_not_shuffled_is_kept_for_every_seed(program) -> None:
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(80, 20)), rng.integers(0, 2, 80)
    a, b, c, d = program.split(StandardScaler().fit_transform(x), y, shuffle=False, random_state=None)
    case = program.fit(a, c, b, d)
    cure = RefitPreprocessor(resplit_of(case), frozenset({0}))
    assert cure.baseline is None
    first, other = (cure.for_seed(experiment_of(case), case.get(Task).held_y, seed)[0] for seed in (0, 3))
    assert np.array_equal(first.x[0], other.x[0])


def test_a_stratified_split_stays_stratified(program) -> None:
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(200, 5)), (np.arange(200) % 10 == 0).astype(int)
    a, b, c, d = program.split(StandardScaler().fit_transform(x), y, stratify=y)
    case = program.fit(a, c, b, d)
    resplit = resplit_of(case)
    held = case.get(Task).held_y
    drawn = [resplit.draw(experiment_of(case), held, s, honest=frozenset(), shuffled=False)[1] for s in range(1, 6)]
    assert all(abs(int(labels.sum()) - 5) <= 1 for labels in drawn)


def test_shuffled_labels_carry_no_signal_for_an_honest_selection(leaky) -> None:
    base, held, resplit = experiment_of(leaky), leaky.get(Task).held_y, resplit_of(leaky)

    def agreement(honest: frozenset[int]) -> float:
        """Mean correlation of held-out columns with held-out labels, signed as in training."""
        found = []
        for seed in range(12):
            drawn, labels = resplit.draw(base, held, seed, honest=honest, shuffled=True)
            sign = np.sign((drawn.x[0] * (2 * drawn.y - 1)[:, None]).mean(axis=0))
            found.append((drawn.held_x[0] * sign * (2 * labels - 1)[:, None]).mean())
        return float(np.mean(found))

    assert agreement(frozenset()) > 0.12
    assert abs(agreement(frozenset({1}))) < 0.06


def test_plain_label_shuffling_moves_training_labels_only(leaky) -> None:
    base, held = experiment_of(leaky), leaky.get(Task).held_y
    shuffled, labels = PermuteLabels(labels=leaky.get(Task).y).for_seed(base, held, 1)
    assert held is labels
    assert sorted(base.y) == sorted(shuffled.y)
    assert not np.array_equal(base.y, shuffled.y)
    assert np.array_equal(shuffled.y, shuffled.scored_y)
    assert base.x is shuffled.x


def test_dropped_columns_are_zero_in_training_and_held_out_rows(leaky) -> None:
    base = experiment_of(leaky)
    changed = DropFeatures((2, 5)).apply(base)
    assert shapes(base) == shapes(changed)
    assert not changed.x[0][:, [2, 5]].any()
    assert not changed.held_x[0][:, [2, 5]].any()
    assert np.array_equal(np.delete(base.x[0], [2, 5], axis=1), np.delete(changed.x[0], [2, 5], axis=1))
    assert base.x[0].any(axis=0).all()


def test_columns_count_through_several_inputs(leaky) -> None:
    base = experiment_of(leaky)
    two = replace(base, x=(base.x[0], base.x[0][:, :3]), held_x=(base.held_x[0], base.held_x[0][:, :3]))
    changed = DropFeatures((11,)).apply(two)
    assert [0, 1] == [int((a == 0).all(axis=0).sum()) for a in changed.x]


def test_removed_rows_are_replaced_by_other_training_rows(leaky) -> None:
    base, labels = experiment_of(leaky), leaky.get(Task).y
    gone = np.arange(20)
    changed = RemoveOverlap(gone, labels, 20).apply(base)
    assert shapes(base) == shapes(changed)
    kept = {row.tobytes() for row in base.x[0][20:]}
    assert all(row.tobytes() in kept for row in changed.x[0])
    assert np.array_equal(changed.y, changed.scored_y)
    assert np.array_equal(changed.x[0], RemoveOverlap(gone, labels, 20).apply(base).x[0])


def test_removing_every_row_is_refused(leaky) -> None:
    base, labels = experiment_of(leaky), leaky.get(Task).y
    with pytest.raises(ValueError, match="90 of 90"):
        RemoveOverlap(np.arange(90), labels, 90).apply(base)


def test_what_is_written_into_a_report_holds_no_arrays(leaky) -> None:
    import json

    resplit, labels = resplit_of(leaky), leaky.get(Task).y
    for change in (
        RefitPreprocessor(resplit, frozenset({1})),
        RefitPreprocessor(resplit, frozenset({1})).baseline,
        PermuteLabels(resplit),
        RemoveOverlap(np.arange(3), labels, 3),
        DropFeatures((1,)),
    ):
        assert len(json.dumps(change.describe())) < 200
        assert len(repr(change)) < 2000
        hash(change)
