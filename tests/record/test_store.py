"""The run folder and the recorder: nothing is lost, nothing foreign is opened, no fault of ours gets out."""

import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from unstuck.record import custom
from unstuck.record.fingerprint import row_hashes
from unstuck.record.launch import BOOT
from unstuck.record.recorded import read_run
from unstuck.record.recorder import MAX_FAULTS, Recorder
from unstuck.record.store import Reader, Writer, new_folder

ENDLESS = """
import numpy as np, keras
model = keras.Sequential([keras.layers.Dense(4), keras.layers.Dense(1)])
model.compile("sgd", loss="mse")
class Say(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        print(epoch, flush=True)
model.fit(np.ones((640, 3)), np.ones(640), epochs=100000, verbose=0, callbacks=[Say()])
"""


def test_a_killed_run_keeps_what_was_flushed(tmp_path):
    (tmp_path / "train.py").write_text(ENDLESS)
    folder = new_folder(tmp_path)
    command = [sys.executable, str(BOOT), str(folder), '{"samples": true, "module": false}', "train.py"]
    child = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    began = time.monotonic()
    for line in child.stdout:
        if time.monotonic() - began > 4 and int(line) > 20:
            break
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    fit = read_run(folder).fits[0]
    assert {} == fit.end
    assert len(fit.losses) >= 20
    assert min(fit.steps) <= 1
    assert [16, 5] == [layer["params"] for layer in fit.body["model"]["layers"]]
    assert (640, 3) == fit.arrays["train-x0"].shape


def test_events_steps_and_arrays_come_back_as_they_were_written(tmp_path):
    writer = Writer(tmp_path)
    first = writer.event("fit", {"a": [1, np.float32(2), {"b": None}]}, fit=0)
    writer.steps(0, 0, [(1, float("nan")), (2, 0.5)])
    writer.arrays("x", {"v": np.arange(3)})
    writer.commit()
    reader = Reader(tmp_path)
    assert [(first, 0, "fit", {"a": [1, 2.0, {"b": None}]})] == list(reader.events())
    assert np.array_equal([[0, 1, np.nan], [0, 2, 0.5]], reader.losses(0), equal_nan=True)
    assert [0, 1, 2] == reader.arrays("x")["v"].tolist()
    assert {} == reader.arrays("never-written")


def test_a_fault_of_ours_is_noted_and_after_too_many_the_recorder_is_silent(tmp_path):
    recorder = Recorder(tmp_path)
    for _ in range(MAX_FAULTS + 5):
        recorder.guard(lambda: 1 / 0, "here")
    recorder.writer.commit()
    faults = list(Reader(tmp_path).events("fault"))
    assert MAX_FAULTS == len(faults)
    assert "ZeroDivisionError: division by zero" == faults[0][3]["error"]
    assert not recorder.active


def test_only_what_this_user_signed_is_unpickled(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "mine"))
    assert custom.save(tmp_path, "thing", {"f": len})
    assert {"f": len} == custom.load(tmp_path, "thing")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "theirs"))
    assert custom.load(tmp_path, "thing") is None
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "mine"))
    (tmp_path / "thing.pickle").write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    assert custom.load(tmp_path, "thing") is None


def test_the_key_is_readable_by_its_owner_only(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    custom.save(tmp_path, "thing", 1)
    assert 0o600 == (tmp_path / "unstuck" / "key").stat().st_mode & 0o777


rows = hnp.arrays(np.float32, st.tuples(st.integers(1, 30), st.integers(1, 5)), elements=st.floats(-9, 9, width=32))


@settings(deadline=None, max_examples=50)
@given(rows)
def test_fingerprints_are_equal_exactly_where_rows_are(table):
    same = (table[:, None, :] == table[None, :, :]).all(axis=2)
    hashes = row_hashes(table)
    assert np.array_equal(same, hashes[:, None] == hashes[None, :])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_row_keeps_its_fingerprint_after_the_cast_that_keras_makes(dtype):
    table = np.random.default_rng(0).normal(size=(20, 3))
    assert np.array_equal(row_hashes(table.astype(np.float32)), row_hashes(table.astype(dtype)))
