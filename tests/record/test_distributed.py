"""Training over several devices or processes is recorded once, and the record says so. Each in a process of its own."""

import os
import subprocess
import sys

import pytest

from unstuck.record.launch import run_script
from unstuck.record.recorded import read_run

BACKEND = os.environ.get("KERAS_BACKEND", "tensorflow")
DATA = """
import hashlib, numpy as np
random = np.random.default_rng(0)
x = random.normal(size=(96, 4)).astype("float32")
y = (x[:, :1] > 0).astype("float32")

def build(keras):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, "tanh"), keras.layers.Dense(1, "sigmoid")])
    model.compile("sgd", "binary_crossentropy")
    return model

def tell(model):
    print(hashlib.md5(b"".join(np.asarray(w).tobytes() for w in model.get_weights())).hexdigest(), flush=True)
"""
SCRIPTS = {
    "jax": """
import os
os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=2"
import keras
keras.distribution.set_distribution(keras.distribution.DataParallel())
model = build(keras)
model.fit(x[:64], y[:64], batch_size=16, epochs=2, validation_data=(x[64:], y[64:]), verbose=0)
tell(model)
""",
    "tensorflow": """
import keras, tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
    model = build(keras)
rows = tf.data.Dataset.from_tensor_slices
held = rows((x[64:], y[64:])).batch(16)
model.fit(rows((x[:64], y[:64])).shuffle(64).batch(16), epochs=2, validation_data=held, verbose=0)
tell(model)
""",
    "torch": """
import os, sys
import keras, torch

def work(rank):
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", init_method="file://" + sys.argv[1], rank=rank, world_size=2)
    data = torch.utils.data.TensorDataset(torch.tensor(x), torch.tensor(y))
    share = torch.utils.data.DistributedSampler(data, num_replicas=2, rank=rank)
    model = build(keras)
    model.fit(torch.utils.data.DataLoader(data, batch_size=16, sampler=share), epochs=2, verbose=0)
    if rank == 0:
        tell(model)

if __name__ == "__main__":
    torch.multiprocessing.start_processes(work, nprocs=2, start_method="spawn")
""",
}
OVER = {
    "jax": (64, 8, "on 2 devices by keras.distribution.DataParallel"),
    "tensorflow": (64, 8, "on 2 devices by tf.distribute.MirroredStrategy"),
    "torch": (48, 6, "in 2 processes by torch.distributed"),
}


@pytest.mark.skipif(BACKEND not in SCRIPTS, reason="no distribution of this backend is known")
def test_training_over_two_is_recorded_once_whole_and_unchanged(tmp_path, capfd):
    rows, steps, over = OVER[BACKEND]
    script = tmp_path / "train.py"
    script.write_text(DATA + SCRIPTS[BACKEND])
    recording = run_script(script, (str(tmp_path / "meeting"),), root=tmp_path)
    watched = capfd.readouterr().out
    run = read_run(recording.folder)
    (fit,) = run.fits
    assert (0, 1, True) == (recording.status, recording.fits, recording.complete)
    assert ("completed", steps) == (fit.end["status"], len(fit.losses))
    assert (rows, rows) == (fit.body["train"]["rows"], len(fit.arrays["train-x0"]))
    assert steps in fit.steps
    notes = [e.body["text"] for e in run.events if e.kind in ("note", "fault")]
    assert f"training ran {over}; it was recorded once" in notes[0]
    plain = subprocess.run([sys.executable, script, str(tmp_path / "another")], capture_output=True, text=True)
    assert plain.stdout == watched != ""
