"""With and without the watcher: the same weights to the bit, the same stdout, the same exit status."""

import os
import subprocess
import sys

import numpy as np
import pytest

from unstuck.record.recorded import read_run

SCRIPT = """
import sys
import numpy as np
import keras
from keras import layers

keras.utils.set_random_seed(1)
rng = np.random.default_rng(0)
x = rng.normal(size=(96, 8, 8, 1)).astype("float32")
y = rng.integers(0, 3, 96)
mlp = keras.Sequential([layers.Flatten(), layers.Dense(16, activation="relu"), layers.Dropout(0.3),
                        layers.Dense(3, activation="softmax")])
cnn = keras.Sequential([layers.Conv2D(4, 3), layers.BatchNormalization(), layers.ReLU(), layers.Flatten(),
                        layers.Dense(3, activation="softmax")])
weights = []
for model in (mlp, cnn):
    model.compile("adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    for _ in range(2):
        history = model.fit(x, y, epochs=2, validation_split=0.25, verbose=2 if "--quiet" not in sys.argv else 0)
    print({k: [repr(float(v)) for v in values] for k, values in history.history.items()})
    weights += [keras.ops.convert_to_numpy(v) for v in model.variables]
np.savez(sys.argv[1], *weights)
print("random state afterwards:", np.random.rand())
sys.exit(3)
"""
RUN = "from pathlib import Path; import sys; from unstuck.record.launch import run_script; \
r = run_script(Path(sys.argv[1]), tuple(sys.argv[2:])); sys.exit(r.status)"


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hands-off")
    (folder / "train.py").write_text(SCRIPT)
    environment = dict(os.environ, TF_CPP_MIN_LOG_LEVEL="3", TF_DETERMINISTIC_OPS="1")
    plain = [sys.executable, "train.py", "plain.npz", "--quiet"]
    watched = [sys.executable, "-c", RUN, "train.py", "watched.npz", "--quiet"]
    results = [subprocess.run(c, cwd=folder, env=environment, capture_output=True, text=True) for c in (plain, watched)]
    return folder, *results


def test_final_weights_are_bit_identical(both):
    folder, plain, watched = both
    with np.load(folder / "plain.npz") as a, np.load(folder / "watched.npz") as b:
        assert a.files == b.files, plain.stderr + watched.stderr
        assert all(np.array_equal(a[name], b[name]) for name in a.files)


def test_stdout_and_exit_status_are_the_scripts_own(both):
    _, plain, watched = both
    assert 3 == plain.returncode == watched.returncode
    assert plain.stdout == watched.stdout


def test_every_fit_is_recorded_with_its_steps_and_call_sites(both):
    folder, *_ = both
    run = read_run(next((folder / ".unstuck" / "runs").iterdir()))
    assert 4 == len(run.fits)
    assert not [e.body for e in run.events if e.kind == "fault"]
    for fit in run.fits:
        assert 2 * 3 == len(fit.losses)
        assert np.isfinite(fit.losses).all()
        assert "completed" == fit.end["status"]
        assert fit.body["site"]["file"].endswith("train.py")
        assert all(layer["site"]["file"].endswith("train.py") for layer in fit.body["model"]["layers"])
        assert 72 == fit.body["train"]["rows"]
        assert 24 == fit.body["held"]["rows"]


def test_un_averaged_step_losses_average_to_the_epoch_loss(both):
    folder, *_ = both
    fit = read_run(next((folder / ".unstuck" / "runs").iterdir())).fits[0]
    for number, epoch in enumerate(fit.epochs):
        steps = fit.losses[fit.losses[:, 0] == number, 2]
        rows = np.array([32, 32, 8])
        assert epoch["logs"]["loss"] == pytest.approx(float((steps * rows).sum() / 72), rel=1e-4)
