"""Rows are found again in the table they were split from, however they were split."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.model_selection import KFold
from sklearn.preprocessing import StandardScaler
from tests.quality.leakage.planted import Planted
from tests.quality.leakage.witness import recorded

from unstuck.measure.case import Case, Missing
from unstuck.measure.leakage.groups import Groups
from unstuck.measure.leakage.origin import Origin
from unstuck.measure.leakage.provenance import Provenance
from unstuck.measure.leakage.time_order import TimeOrder
from unstuck.record.store import Reader


def table(rows: int = 200) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    return rng.normal(size=(rows, 6)), rng.integers(0, 2, rows)


def case(folder: Path, train: np.ndarray, held: np.ndarray, **variables: object) -> Case:
    x, y = table()
    return recorded(Planted("", "", x[train], y[train], x[held], y[held], (), dict(variables)), folder)


def halves() -> tuple[np.ndarray, np.ndarray]:
    order = np.random.default_rng(1).permutation(200)
    return order[:150], order[150:]


def test_numpy_indexing_is_followed_to_the_variable_it_indexed(tmp_path: Path) -> None:
    train, held = halves()
    origin = case(tmp_path, train, held, everything=table()[0]).get(Origin)
    assert ("everything", 200) == (origin.table, origin.size)
    assert (train.tolist(), held.tolist()) == (origin.train.tolist(), origin.held.tolist())


def test_iloc_is_followed_to_the_frame_and_its_other_columns(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    x, y = table()
    names = [f"c{i}" for i in range(6)]
    frame = pandas.DataFrame(x, columns=names)
    frame["patient"] = [f"p{i // 8}" for i in range(200)]
    frame["when"] = pandas.date_range("2024-01-01", periods=200)
    train, held = halves()
    a, b = frame[names].iloc[train], frame[names].iloc[held]
    run = recorded(Planted("", "", a, y[train], b, y[held], (), {"frame": frame}), tmp_path)
    origin = run.get(Origin)
    assert train.tolist() == origin.train.tolist()
    assert {"frame.patient": "id", "frame.when": "time"} == {
        c.name: c.kind for c in origin.columns if c.name in ("frame.patient", "frame.when")
    }
    assert ["frame.patient"] == [group.name for group in run.get(Groups).found]
    assert ("frame.when", True) == (run.get(TimeOrder).name, run.get(TimeOrder).early > 0.9)


def test_a_transformer_between_the_table_and_the_split_is_passed_through(program) -> None:
    x, y = table()
    prepared = StandardScaler().fit_transform(x)
    train, held, _, _ = program.split(prepared, y)
    run = program.fit(train, y[: len(train)], held, y[: len(held)])
    assert 200 == run.get(Origin).size


@pytest.mark.parametrize("fold", range(3))
def test_a_scaler_before_a_kfold_is_found_in_every_fold(program, fold: int) -> None:
    x, y = table()
    x = StandardScaler().fit_transform(x)
    train, held = list(KFold(3, shuffle=True, random_state=0).split(x))[fold]
    found = program.fit(x[train], y[train], x[held], y[held]).get(Provenance).fitted
    assert [("StandardScaler", len(held))] == [(leak.estimator, leak.saw) for leak in found]


def test_a_scaler_within_each_fold_is_clean(program) -> None:
    x, y = table()
    train, held = next(iter(KFold(3, shuffle=True, random_state=0).split(x)))
    scaler = StandardScaler().fit(x[train])
    run = program.fit(scaler.transform(x[train]), y[train], scaler.transform(x[held]), y[held])
    assert () == run.get(Provenance).fitted


def test_of_columns_the_order_of_values_is_kept_and_never_the_values(tmp_path: Path) -> None:
    train, held = halves()
    salary = 1_000_000 + np.arange(200) // 4 * 7_777
    case(tmp_path, train, held, everything=table()[0], salary=salary)
    arrays = Reader(tmp_path).arrays("fit-0-surroundings")
    assert ((salary - 1_000_000) // 7_777).tolist() == arrays["column0"].tolist()
    assert max(int(a.max()) for name, a in arrays.items() if name.startswith("column")) < 200


def test_without_the_table_at_hand_the_origin_is_missing(tmp_path: Path) -> None:
    with pytest.raises(Missing, match="the table that the rows were split from"):
        case(tmp_path, *halves()).get(Origin)


def test_the_labels_by_another_name_are_no_groups(tmp_path: Path) -> None:
    train, held = halves()
    run = case(tmp_path, train, held, everything=table()[0], patient_id=table()[1] * 3 + 1)
    assert () == run.get(Groups).found


@pytest.mark.parametrize("kind", ["name", "quantity", "user"])
def test_an_input_is_a_name_only_where_each_value_has_a_label_of_its_own(tmp_path: Path, kind: str) -> None:
    rng = np.random.default_rng(0)
    who = np.repeat(np.arange(40), 10)
    label = rng.integers(0, 2, 40)[who] if kind == "name" else who > 25 if kind == "quantity" else rng.random(400) > 0.5
    x = np.c_[rng.normal(size=(40, 5))[who] + 0.1 * rng.normal(size=(400, 5)), who].astype("float32")
    order = rng.permutation(400)
    x, y = x[order], label[order].astype("int64")
    found = recorded(Planted("", "", x[:300], y[:300], x[300:], y[300:], (), {}), tmp_path).find(Groups)
    assert (["column 5"] if kind == "name" else []) == [group.name for group in (found.found if found else ())]


def test_looking_at_variables_ends_after_its_time_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("unstuck.record.surroundings.MAX_SECONDS", 0.0)
    run = case(tmp_path, *halves(), everything=table()[0], patient=np.arange(200) // 4).run
    assert [[]] == [event.body["columns"] for event in run.events if event.kind == "surroundings"]
    assert any("variables" in event.body["text"] for event in run.events if event.kind == "note")


@pytest.mark.parametrize(("kinds", "target"), [(10, "itself"), (40, "itself"), (10, "a number")])
def test_classes_beside_the_table_are_no_groups(tmp_path: Path, kinds: int, target: str) -> None:
    """Rows of one class are alike, and every class should be trained on."""
    rng = np.random.default_rng(0)
    kind = rng.integers(0, kinds, 400)
    x = rng.normal(size=(kinds, 9))[kind] + 0.1 * rng.normal(size=(400, 9))
    y = x if target == "itself" else x[:, 0] + rng.normal(size=400)
    variables = {"everything": x, "kind": kind}
    run = recorded(Planted("", "", x[:300], y[:300], x[300:], y[300:], (), variables), tmp_path)
    assert 400 == run.get(Origin).size
    assert () == run.get(Groups).found
