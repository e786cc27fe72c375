"""Networks that are not told what is right: autoencoders, variational ones, and a generator behind its critic."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from tests.harness import Bench

from unstuck.measure.network.reach import _nearest_shares
from unstuck.rules.rule import Example
from unstuck.settings import Settings

pytestmark = pytest.mark.skipif(
    os.environ.get("KERAS_BACKEND", "jax") != "jax", reason="the numbers are those of JAX; the rules are tested on all"
)
OFF = Settings(experiments="off")
RESTORE = """
low, high = x.min(axis=0), x.max(axis=0)
x = (x - low) / (high - low)
model = keras.Sequential([keras.layers.Dense(16, activation="relu"), keras.layers.Dense(x.shape[1], activation="HEAD")])
model.compile(keras.optimizers.Adam(0.01), loss="mse")
model.fit(x, x, epochs=30, verbose=0)
"""
VARIATIONAL = """
class Coder(keras.Model):
    def __init__(self):
        super().__init__()
        self.encoder, self.decoder = keras.layers.Dense(8), keras.layers.Dense(30)
        self.seeds = keras.random.SeedGenerator(0)

    def call(self, inputs):
        code = self.encoder(inputs)
        mean, log_var = code[:, :4], code[:, 4:]
        each = 0.5 * (keras.ops.square(mean) + keras.ops.exp(log_var) - 1.0 - log_var)
        self.add_loss(WEIGHT * keras.ops.mean(keras.ops.sum(each, axis=-1)))
        noise = keras.random.normal(keras.ops.shape(mean), seed=self.seeds)
        return self.decoder(mean + keras.ops.exp(0.5 * log_var) * noise)

model = Coder()
model.compile(keras.optimizers.Adam(0.01), loss="mse")
model.fit(x, x, epochs=30, validation_data=(x_val, x_val), verbose=0)
"""
CRITIC = """
critic = keras.Sequential([keras.Input((30,)), keras.layers.Dense(8, "relu"), keras.layers.Dense(1, "sigmoid")])
critic.trainable = False
noise = keras.Input((4,))
generator = keras.Sequential([keras.Input((4,)), keras.layers.Dense(30)])
model = keras.Model(noise, critic(generator(noise)))
model.compile("adam", loss="binary_crossentropy")
model.fit(np.random.default_rng(0).normal(size=(200, 4)), np.ones(200), epochs=3, verbose=0)
"""
RATED = """
rng = np.random.default_rng(0)
user, film = rng.integers(0, 100, 4000), rng.integers(0, 80, 4000)
rating = (rng.normal(size=(100, 3))[user] * rng.normal(size=(80, 3))[film]).sum(axis=1).astype("float32")
entries = [keras.Input((1,), dtype="int32"), keras.Input((1,), dtype="int32")]
found = [keras.layers.Flatten()(keras.layers.Embedding(n, 8)(e)) for n, e in zip((100, 80), entries)]
model = keras.Model(entries, keras.layers.Dense(1)(keras.layers.Concatenate()(found)))
model.compile(keras.optimizers.SGD(1e-6), loss="mse")
model.fit([user[:3000], film[:3000]], rating[:3000], epochs=4, verbose=0,
          validation_data=([user[3000:], film[3000:]], rating[3000:]))
"""


def found(bench: Bench, folder: Path, code: str) -> dict[str, str]:
    report = bench.diagnose(Example(code), folder, OFF)
    return {f.rule: f.message for f in report.findings if f.severity != "note"}


@pytest.mark.parametrize(("head", "told"), [("softmax", True), ("sigmoid", False)])
def test_softmax_cannot_give_rows_that_do_not_sum_to_one(
    bench: Bench, tmp_path: Path, head: str, *, told: bool
) -> None:
    said = found(bench, tmp_path / "run", RESTORE.replace("HEAD", head))
    assert told == ("bounded-output" in said)
    assert not told or "softmax makes each row sum to 1" in said["bounded-output"]


@pytest.mark.parametrize(("weight", "told"), [("50.0", True), ("0.001", False)])
def test_a_code_that_says_nothing_is_told_where_no_divergence_is_printed(
    bench: Bench, tmp_path: Path, weight: str, *, told: bool
) -> None:
    said = found(bench, tmp_path / "run", VARIATIONAL.replace("WEIGHT", weight))
    assert told == ("posterior-collapse" in said)


def test_a_frozen_critic_has_an_aim_and_no_labels(bench: Bench, tmp_path: Path) -> None:
    assert "constant-target" not in found(bench, tmp_path / "run", CRITIC)


def test_pairs_of_ids_are_not_said_to_carry_no_signal(bench: Bench, tmp_path: Path) -> None:
    said = found(bench, tmp_path / "run", RATED)
    assert "no-signal" not in said
    assert "learning-rate-too-low" in said


def test_the_nearest_shares_are_shares_and_nearer_than_any_others() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(0.3, 0.6, size=(40, 4))
    nearest = _nearest_shares(rows)
    assert nearest.min() >= 0
    assert nearest.sum(axis=1) == pytest.approx(1)
    others = rng.dirichlet(np.ones(4), size=4000)
    best = ((rows[:, None] - others) ** 2).sum(axis=2).min(axis=1)
    assert (((rows - nearest) ** 2).sum(axis=1) <= best).all()
    assert _nearest_shares(others) == pytest.approx(others)
