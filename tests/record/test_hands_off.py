"""With and without the watcher: the same weights to the bit, the same output, random states and exit status.

One script trains every kind of model on every kind of data (`tests/programs/zoo.py`); it is run plainly, under
`unstuck run`, and with `Watch()` in each fit.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from unstuck.record.recorded import read_run

BACKEND = keras.backend.backend()
PROGRAMS = Path(__file__).parent.parent / "programs"
RUN = (
    "from pathlib import Path; import sys; from unstuck.record.launch import run_script; "
    "r = run_script(Path(sys.argv[1]), tuple(sys.argv[2:])); sys.exit(r.status)"
)
FITS = [
    *("mlp", "cnn", "lstm", "transformer", "own_step", "first", "second", "generator", "stream", "loop", "several"),
    *("mixed", "stacked_steps", "caught", "uncaught"),
]


@pytest.fixture(scope="module")
def zoo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("zoo")
    shutil.copy(PROGRAMS / "zoo.py", folder)
    environment = dict(os.environ, TF_CPP_MIN_LOG_LEVEL="3", TF_DETERMINISTIC_OPS="1", PYTHONWARNINGS="default")
    commands = {
        "plain": [sys.executable, "zoo.py", "plain.npz"],
        "run": [sys.executable, "-c", RUN, "zoo.py", "run.npz"],
        "watch": [sys.executable, "zoo.py", "watch.npz", "watch"],
    }
    ended = {
        name: subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
        for name, command in commands.items()
    }
    return folder, ended


@pytest.fixture(scope="module")
def fits(zoo):
    runs = [read_run(path) for path in (zoo[0] / ".unstuck" / "runs").iterdir()]
    run = next(run for run in runs if "command" in run.meta)
    assert not [e.body for e in run.events if e.kind == "fault"]
    assert len(FITS) == len(run.fits)
    return dict(zip(FITS, run.fits, strict=True))


@pytest.mark.parametrize("how", ["run", "watch"])
def test_final_weights_are_bit_identical(zoo, how):
    folder, ended = zoo
    with np.load(folder / "plain.npz") as plain, np.load(folder / f"{how}.npz") as watched:
        assert plain.files == watched.files, ended["plain"].stderr + ended[how].stderr
        assert [] == [name for name in plain.files if not np.array_equal(plain[name], watched[name])]


@pytest.mark.parametrize("how", ["run", "watch"])
def test_output_random_states_and_exit_status_are_the_scripts_own(zoo, how):
    _, ended = zoo
    assert 1 == ended["plain"].returncode == ended[how].returncode
    assert ended["plain"].stdout == ended[how].stdout
    assert ended["plain"].stdout.count("random states") == 12


@pytest.mark.parametrize("how", ["run", "watch"])
def test_no_warning_is_added(zoo, how):
    _, ended = zoo
    plain, watched = (
        {line.partition("Warning:")[2] for line in ended[name].stderr.splitlines() if "Warning:" in line}
        for name in ("plain", how)
    )
    assert plain >= watched


def test_an_uncaught_error_shows_the_frames_and_words_it_had(zoo):
    _, ended = zoo
    plain, watched = (ended[how].stderr[ended[how].stderr.index("Traceback") :] for how in ("plain", "run"))
    assert plain == watched


def test_every_step_is_recorded_with_its_call_sites(fits):
    for name, fit in fits.items():
        if name not in ("caught", "uncaught"):
            assert np.isfinite(fit.losses).all(), name
            assert "completed" == fit.end["status"], name
            assert max(fit.steps) == fit.end["steps"] == fit.losses[-1, 1], name
        assert fit.body["site"]["file"].endswith("zoo.py")
        assert all(layer["site"]["file"].endswith("zoo.py") for layer in fit.body["model"]["layers"])
    assert "raised" == fits["caught"].end["status"] == fits["uncaught"].end["status"]
    assert [72, 24] == [fits["mlp"].body[role]["rows"] for role in ("train", "held")]


def test_un_averaged_step_losses_average_to_the_epoch_loss(fits):
    for name, rows in (("mlp", [32, 32, 8]), ("stream", {"jax": [24] * 4}.get(BACKEND, [20] * 4 + [16]))):
        for number, epoch in enumerate(fits[name].epochs):
            losses = fits[name].losses
            steps = losses[losses[:, 0] == number, 2]
            assert epoch["logs"]["loss"] == pytest.approx(float(np.average(steps, weights=rows)), rel=1e-4)


def test_the_loss_of_an_own_train_step_is_taken_as_it_is(fits):
    losses = fits["own_step"].losses[:, 2]
    assert (losses > 0).all()
    assert losses[:3] != pytest.approx(np.cumsum(losses[:3]))


def test_streams_are_sampled_as_they_flow_for_one_pass(fits):
    generator, stream = fits["generator"].body["train"], fits["stream"].body["train"]
    assert (96, 96, True, True) == tuple(generator[k] for k in ("rows", "sampled", "stream", "endless"))
    assert (96, 96, True, False) == tuple(stream[k] for k in ("rows", "sampled", "stream", "endless"))
    assert 96 == fits["stream"].body["held"]["rows"]
    for name in ("generator", "stream"):
        arrays = fits[name].arrays
        assert [(96, 64), (96,), (96,)] == [arrays[k].shape for k in ("train-x0", "train-y0", "train-hash")]
    assert set(fits["mlp"].arrays["train-hash"]) < set(fits["generator"].arrays["train-hash"])


def test_a_loop_over_train_on_batch_is_one_fit(fits):
    loop = fits["loop"]
    assert [12, 3, 24] == [len(loop.losses), loop.body["epochs"], loop.body["batch_size"]]
    assert [96, 96] == [loop.body["train"][k] for k in ("rows", "sampled")]
    assert [96] == [event.body["data"]["rows"] for event in loop.evaluations]


def test_inputs_and_outputs_given_by_name_are_kept_in_the_order_of_the_model(fits):
    arrays = fits["several"].arrays
    assert [(96, 40), (96, 24)] == [arrays[f"train-x{i}"].shape for i in (0, 1)]
    assert [(96,), (96, 1)] == [arrays[f"train-y{i}"].shape for i in (0, 1)]


def test_the_optimiser_inside_a_loss_scale_optimiser_is_recorded(fits):
    assert "adam" == fits["mixed"].body["model"]["optimizer"]["kind"]
    assert {"0": 2.0} == fits["mixed"].body["class_weight"]


def test_several_steps_an_execution_are_counted(fits):
    assert [3 if BACKEND == "torch" else 2, 3] == [
        len(fits["stacked_steps"].losses),
        fits["stacked_steps"].end["steps"],
    ]
