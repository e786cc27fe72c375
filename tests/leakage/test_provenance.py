from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.feature_selection import SelectKBest, VarianceThreshold, f_classif
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from unstuck.measure.case import Missing
from unstuck.measure.leakage.provenance import Provenance
from unstuck.measure.leakage.trace import match, seen


def data(rows: int = 80, columns: int = 12) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(2)
    return rng.normal(size=(rows, columns)), rng.integers(0, 2, rows)


def found(case) -> list[tuple[str, bool, int, int]]:
    return [(f.estimator, f.supervised, f.saw, f.of) for f in case.get(Provenance).fitted]


def test_a_scaler_fitted_before_the_split_saw_all_held_out_rows(program) -> None:
    x, y = data()
    a, b, c, d = program.split(StandardScaler().fit_transform(x), y)
    case = program.fit(a, c, b, d)
    assert [("StandardScaler", False, 20, 20)] == found(case)
    assert ["StandardScaler.fit_transform", "train_test_split", "validation_data"] == [
        step.text for step in case.get(Provenance).fitted[0].flow
    ]


def test_a_scaler_fitted_on_training_rows_is_clean(program) -> None:
    x, y = data()
    a, b, c, d = program.split(x, y)
    scaler = StandardScaler().fit(a)
    case = program.fit(scaler.transform(a), c, scaler.transform(b), d)
    assert [] == found(case)
    assert 1 == case.get(Provenance).transformers


def test_fit_and_transform_as_two_calls_before_the_split_are_one_leak(program) -> None:
    x, y = data()
    scaler = StandardScaler().fit(x)
    a, b, c, d = program.split(scaler.transform(x), y)
    assert [("StandardScaler", False, 20, 20)] == found(program.fit(a, c, b, d))


def test_fitted_on_all_and_applied_after_the_split_is_a_leak(program) -> None:
    x, y = data()
    scaler = StandardScaler().fit(x)
    a, b, c, d = program.split(x, y)
    assert [("StandardScaler", False, 20, 20)] == found(program.fit(scaler.transform(a), c, scaler.transform(b), d))


def test_a_chain_names_each_transformer_and_which_used_the_labels(program) -> None:
    x, y = data()
    x = StandardScaler().fit_transform(x)
    x = SelectKBest(f_classif, k=4).fit_transform(x, y)
    a, b, c, d = program.split(x, y)
    case = program.fit(a, c, b, d)
    assert [("StandardScaler", False, 20, 20), ("SelectKBest", True, 20, 20)] == found(case)
    rerun = case.get(Provenance).rerun
    assert rerun is not None
    assert [("StandardScaler", True), ("SelectKBest", True)] == [(s.name, s.leaky) for s in rerun.stages]
    assert sorted([*rerun.train, *rerun.held]) == list(range(80))


def test_a_clean_scaler_behind_a_leaky_selection_is_a_stage_but_no_leak(program) -> None:
    x, y = data()
    a, b, c, d = program.split(SelectKBest(f_classif, k=4).fit_transform(x, y), y)
    scaler = StandardScaler()
    a = scaler.fit_transform(a)
    case = program.fit(a, c, scaler.transform(b), d)
    assert [("SelectKBest", True, 20, 20)] == found(case)
    rerun = case.get(Provenance).rerun
    assert rerun is not None
    assert [("SelectKBest", True), ("StandardScaler", False)] == [(s.name, s.leaky) for s in rerun.stages]


def test_rows_are_followed_through_a_cast_to_float32(program) -> None:
    x, y = data()
    a, b, c, d = program.split(StandardScaler().fit_transform(x).astype("float32"), y)
    assert [("StandardScaler", False, 20, 20)] == found(program.fit(a, c, b, d))


def test_rows_are_followed_through_pandas_frames(program) -> None:
    pandas = pytest.importorskip("pandas")
    x, y = data()
    frame = pandas.DataFrame(x, columns=[f"c{i}" for i in range(12)])
    scaled = pandas.DataFrame(StandardScaler().fit_transform(frame), columns=frame.columns)
    a, b, c, d = program.split(scaled, pandas.Series(y))
    assert [("StandardScaler", False, 20, 20)] == found(program.fit(a, c, b, d))


def test_a_pipeline_counts_as_using_labels_only_if_a_step_does(program) -> None:
    x, y = data()
    a, b, c, d = program.split(make_pipeline(MinMaxScaler(), SelectKBest(k=3)).fit_transform(x, y), y)
    assert [("MinMaxScaler", False, 20, 20), ("SelectKBest", True, 20, 20)] == found(program.fit(a, c, b, d))


def test_a_selection_that_never_looks_at_labels_is_not_supervised(program) -> None:
    x, y = data()
    a, b, c, d = program.split(VarianceThreshold().fit_transform(x, y), y)
    assert [("VarianceThreshold", False, 20, 20)] == found(program.fit(a, c, b, d))


def test_a_projection_for_a_plot_is_no_leak(program) -> None:
    from sklearn.decomposition import PCA

    x, y = data()
    PCA(2).fit_transform(x)
    a, b, c, d = program.split(x, y)
    assert [] == found(program.fit(a, c, b, d))


def test_the_same_scaler_fitted_again_on_held_out_rows_alone_did_not_run_before_the_split(program) -> None:
    x, y = data()
    a, b, c, d = program.split(x, y)
    scaler = StandardScaler()
    assert [] == found(program.fit(scaler.fit_transform(a), c, scaler.fit_transform(b), d))


def test_a_split_by_slices_is_a_leak_too(program) -> None:
    x, y = data()
    x = StandardScaler().fit_transform(x)
    case = program.fit(x[:60], y[:60], x[60:], y[60:])
    assert [("StandardScaler", False, 20, 20)] == found(case)
    rerun = case.get(Provenance).rerun
    assert rerun is not None
    assert not rerun.shuffled


def test_a_test_part_split_off_first_does_not_hide_the_split_that_counts(program) -> None:
    x, y = data(120)
    rest, _, y_rest, _ = program.split(x, y)
    a, b, c, d = program.split(StandardScaler().fit_transform(rest), y_rest)
    case = program.fit(a, c, b, d)
    assert [("StandardScaler", False, 23, 23)] == found(case)
    assert case.get(Provenance).split_site["line"] == program.flow()[-1]["site"]["line"]


def test_natural_copies_of_training_rows_do_not_make_a_clean_scaler_leak(program) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 2, size=(200, 3)).astype(float), rng.integers(0, 2, 200)
    a, b, c, d = program.split(x, y)
    scaler = StandardScaler().fit(a)
    assert [] == found(program.fit(scaler.transform(a), c, scaler.transform(b), d))


def test_real_data_scaled_before_the_split_are_followed_back(program) -> None:
    x, y = load_breast_cancer(return_X_y=True)
    a, b, c, d = program.split(StandardScaler().fit_transform(x), y)
    assert [("StandardScaler", False, 143, 143)] == found(program.fit(a, c, b, d))


def test_a_transformer_of_some_columns_is_not_passed_over_in_silence(program) -> None:
    pandas = pytest.importorskip("pandas")
    x, y = data()
    frame = pandas.DataFrame(x, columns=[f"c{i}" for i in range(12)])
    frame[["c1", "c2"]] = StandardScaler().fit_transform(frame[["c1", "c2"]])
    a, b, c, d = program.split(frame, y)
    with pytest.raises(Missing, match="followed through StandardScaler"):
        program.fit(a, c, b, d).get(Provenance)


def test_encoded_labels_are_not_taken_for_features(program) -> None:
    from sklearn.preprocessing import LabelEncoder, MinMaxScaler

    x, y = data()
    y = LabelEncoder().fit_transform(y)
    MinMaxScaler().fit_transform(y.reshape(-1, 1))
    a, b, c, d = program.split(x, y)
    assert [] == found(program.fit(a, c, b, d))


def test_without_any_flow_the_quantity_is_missing(program) -> None:
    x, y = data()
    with pytest.raises(Missing, match="the data before the split"):
        program.fit(x[:60], y[:60], x[60:], y[60:]).get(Provenance)


def test_copies_are_matched_in_their_order_and_counted() -> None:
    a = lambda *v: np.array(v, np.uint64)
    assert [1, 0, 2, -1] == match(a(4, 3, 4, 8), a(3, 4, 4)).tolist()
    assert (3, 0) == seen(a(1, 1, 2), a(1, 5), a(1, 1, 2))
    assert (3, 1) == seen(a(1, 1, 2), a(1, 5), a(1, 1, 1, 2))
    assert [-1] == match(a(1), a()).tolist()
