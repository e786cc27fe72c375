"""What is kept is bounded, and what is kept is a fair picture: streams, snapshots, statistics, old runs."""

import os
import sqlite3
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from unstuck.record import batches, sample, snapshots
from unstuck.record.batches import BatchSample, row_count, unpack
from unstuck.record.recorded import read_run
from unstuck.record.sample import _statistics
from unstuck.record.snapshots import Snapshots
from unstuck.record.store import Reader, Writer, new_folder, prune
from unstuck.record.unaverage import RunningMean


def test_a_long_run_of_many_layers_stays_small_and_keeps_its_loss_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(snapshots, "GRACE_SECONDS", 1e9)  # as if time were no object
    writer = Writer(tmp_path)
    kept = Snapshots(writer, "fit-0-weights-")
    weights = [np.random.default_rng(i).random((32, 32), dtype=np.float32) for i in range(200)]
    writer.event("fit", {"model": {}, "model_id": 1}, fit=0)
    kept.take(0, lambda: weights, edge=True)
    for step in range(1, 100_001):
        loss = 2.0 ** (step // 3000 % 9)  # does something new all the time
        writer.steps(0, 0, [(step, loss)])
        kept.saw(loss)
        if kept.due(step):
            kept.take(step, lambda: weights)
    kept.take(100_000, lambda: weights, edge=True)
    writer.commit()
    fit = read_run(tmp_path).fits[0]
    assert 50 * 2**20 > sum(path.stat().st_size for path in tmp_path.iterdir())
    assert 100_000 == len(fit.losses)
    assert {0, 100_000} < set(fit.steps)
    assert len(fit.steps) > 5


def test_snapshots_are_dense_at_first_and_when_the_loss_does_something_new(tmp_path, monkeypatch):
    monkeypatch.setattr(snapshots, "GRACE_SECONDS", 1e9)
    kept = Snapshots(Writer(tmp_path), "w-")
    taken = []
    for step in range(1, 1000):
        kept.saw(1.0 if step < 600 else 50.0)
        if kept.due(step):
            kept.take(step, lambda: [np.zeros(3)])
            taken.append(step)
    assert [1, 2, 4, 8, 16, 32, 64, 128, 256, 512] == taken[:10]
    assert 600 <= taken[10] < 605
    kept.take(2000, lambda: [np.zeros(snapshots.MAX_MODEL_BYTES // 8 + 1)], edge=True)
    assert kept.too_large
    assert not kept.due(10**9)


def test_snapshots_stop_when_they_cost_more_than_their_share(tmp_path, monkeypatch):
    monkeypatch.setattr(snapshots, "GRACE_SECONDS", 0.0)
    kept = Snapshots(Writer(tmp_path), "w-")
    kept._spent = 1e6
    assert not kept.due(1)
    assert kept.next > 1, "and are not asked for again at every step"
    kept._spent = 0.0
    assert kept.due(1), "only when losses are read"


def test_a_long_stream_is_sampled_evenly_and_within_bounds(monkeypatch):
    monkeypatch.setattr(batches, "MAX_ROWS", 200)
    stream = BatchSample("train", "generator")
    buffer = np.empty((10, 2), np.float32)
    for number in range(1000):
        buffer[:] = number  # the same array every time, as generators do
        stream.add((buffer, buffer[:, 0], None))
    about, arrays = stream.result(values=True, ended=True, endless=False)
    numbers = arrays["train-x0"][::10, 0]
    assert (10_000, 200, 10) == (about["rows"], about["sampled"], about["batch_rows"])
    assert 20 == len(set(numbers)) == len(numbers)
    assert sorted(numbers) == list(numbers)
    assert 250 < np.mean(numbers) < 750
    assert np.array_equal(arrays["train-x0"][:, 0], arrays["train-y0"])


def test_batches_of_different_lengths_are_padded_and_no_more_than_one_pass_is_counted():
    stream = BatchSample("train", "generator", limit=2)
    for length in (3, 5, 9):
        stream.add(({"words": np.ones((2, length))}, np.zeros(2)))
    about, arrays = stream.result(values=True, ended=True, endless=True)
    assert (2, 2 + 2, True, True) == (about["batch_rows"], about["rows"], about["endless"], about["stream"])
    assert [3, 3, 5, 5] == arrays["train-x0"].sum(axis=1).tolist()
    assert ["words"] == about["x_names"]


def test_parts_of_a_batch_are_read_as_keras_reads_them():
    x, y = np.ones((3, 2)), np.ones(3)
    assert unpack(x)[1:] == (None, None)
    assert unpack([x, y])[1] is y
    assert [3, 3, 0] == [row_count((x, y)), row_count(({"a": [x]}, y)), row_count((None,))]


@pytest.mark.parametrize("count", [1, 32])
def test_the_running_mean_is_undone_until_it_is_no_number(count):
    losses = np.array([3.0, 1.0, 2.0, np.nan, 5.0])
    mean = RunningMean()
    found = [mean.added(float(losses[: i + 1].mean()), count) for i in range(len(losses))]
    assert np.allclose(found[:3], losses[:3])
    assert np.isnan(found[3:]).all()


tables = hnp.arrays(
    np.float32,
    st.tuples(st.integers(1, 40), st.integers(2, 5)),
    elements=st.floats(width=32, allow_subnormal=False) | st.just(0.0),
)


@settings(deadline=None, max_examples=60)
@given(tables)
def test_statistics_in_pieces_are_those_of_the_whole(table):
    about, finite = _statistics(table), np.isfinite(table)
    assert about["non_finite"] == (~finite).sum()
    assert about["zero_rows"] == (table == 0).all(axis=1).sum()
    if finite.any():
        assert (about["min"], about["max"]) == (table[finite].min(), table[finite].max())


def test_statistics_of_large_arrays_come_from_evenly_spaced_rows(monkeypatch):
    monkeypatch.setattr(sample, "MOMENT_VALUES", 1000)
    table = np.random.default_rng(0).normal(3, 2, (5000, 4))
    about = _statistics(table)
    assert about["mean"] == pytest.approx(3, abs=0.2)
    assert about["std"] == pytest.approx(2, abs=0.2)
    assert about["max"] == table.max()


def test_old_runs_go_by_number_and_space_and_one_that_may_still_run_stays(tmp_path):
    now = time.time()
    folders = []
    for age in range(6):
        folder = new_folder(tmp_path)
        (folder / "run.sqlite").write_bytes(b"x" * 2**20)
        os.utime(folder / "run.sqlite", (now - age * 7200,) * 2)
        folders.append(folder)
    prune(tmp_path, runs=4, megabytes=1000)
    assert [True] * 4 + [False] * 2 == [f.exists() for f in folders]
    prune(tmp_path, runs=4, megabytes=2)
    assert [True] * 2 + [False] * 4 == [f.exists() for f in folders]
    os.utime(folders[1] / "run.sqlite")
    prune(tmp_path, runs=1, megabytes=1)
    assert folders[1].exists()


def test_runs_beside_each_other_get_folders_of_their_own_and_git_ignores_them(tmp_path):
    assert 50 == len({new_folder(tmp_path) for _ in range(50)})
    assert "*\n" == (tmp_path / ".unstuck" / ".gitignore").read_text()


def test_where_nothing_can_be_written_the_run_is_recorded_elsewhere_and_says_so(tmp_path, monkeypatch, capsys):
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path / "temporary"))
    folder = new_folder(blocked)
    assert folder.is_relative_to(tmp_path / "temporary")
    assert f"cannot write to {blocked}" in capsys.readouterr().err


def test_a_folder_whose_process_died_before_it_wrote_anything_opens(tmp_path):
    sqlite3.connect(tmp_path / "run.sqlite").close()
    assert () == read_run(tmp_path).fits
    assert {} == Reader(tmp_path).meta()
