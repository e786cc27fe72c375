"""Functions as activations, in Lambda layers and as losses: found again by the names they are described by."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from tests.record.made_again import answers_again, recorded

from unstuck.measure.case import Case
from unstuck.measure.setup import Setup
from unstuck.record.rebuild import load_objects, rebuild

LIBRARY = {
    "jax": ("import jax", "jax.nn.sigmoid", "jax.numpy.sin"),
    "tensorflow": ("import tensorflow as tf", "tf.nn.sigmoid", "tf.sin"),
    "torch": ("import torch", "torch.sigmoid", "torch.sin"),
}
LAMBDAS = """
def times(factor):
    return lambda t: t * factor
model = keras.Sequential([
    keras.Input((x.shape[1],)),
    keras.layers.Lambda(times(0.5)),
    keras.layers.Dense(9, activation=lambda t: keras.ops.maximum(t, np.float32(0.1))),
    keras.layers.Lambda(times(3.0)),
    keras.layers.Dense(
        6,
        kernel_initializer=lambda shape, dtype=None: keras.ops.full(shape, np.float32(0.2), dtype=dtype),
        kernel_regularizer=lambda kernel: 0.01 * keras.ops.sum(keras.ops.abs(kernel)),
        kernel_constraint=lambda kernel: keras.ops.clip(kernel, -np.float32(0.5), 0.5),
    ),
    keras.layers.Lambda(keras.ops.square),
    keras.layers.Dense(1, activation="sigmoid"),
])
"""


@pytest.mark.filterwarnings("error::UserWarning")
def test_lambdas_compute_with_what_they_refer_to(tmp_path: Path) -> None:
    run, fit = recorded(LAMBDAS, tmp_path)
    assert np.allclose(np.load(tmp_path / "expected.npy"), answers_again(run, fit), atol=1e-5)


def test_functions_of_a_library_are_found_again_and_activations_by_their_usual_names(tmp_path: Path) -> None:
    imported, activation, other = LIBRARY[keras.backend.backend()]
    code = LAMBDAS.replace("lambda t: keras.ops.maximum(t, np.float32(0.1))", other).replace('"sigmoid"', activation)
    run, fit = recorded(imported + code, tmp_path)
    assert np.allclose(np.load(tmp_path / "expected.npy"), answers_again(run, fit), atol=1e-5)
    setup = Setup.of(Case(run, fit))
    assert ("sin", "sigmoid") == (setup.layers[1].activation, setup.head.activation)


@pytest.mark.filterwarnings("error::UserWarning")
def test_a_lambda_as_loss_is_compiled_again(tmp_path: Path) -> None:
    loss = "lambda true, predicted: keras.ops.mean(keras.ops.square(keras.ops.cast(true, predicted.dtype) - predicted))"
    run, fit = recorded(LAMBDAS, tmp_path, loss)
    model = rebuild(fit.body["model"]["config"], fit.body["model"]["compile"], load_objects(run.folder, fit.index))
    x, y = fit.arrays["train-x0"][:40], fit.arrays["train-y0"][:40].reshape(-1, 1)
    penalty = sum(float(keras.ops.convert_to_numpy(loss)) for loss in model.losses)
    expected = penalty + np.square(keras.ops.convert_to_numpy(model(x, training=False)) - y).mean()
    assert model.evaluate(x, y, batch_size=40, verbose=0) == pytest.approx(expected, rel=1e-4)
    assert Setup.of(Case(run, fit)).loss.custom


OWN_MSE = """
def mean_squared_error(true, predicted):
    return keras.ops.mean(keras.ops.abs(keras.ops.cast(true, predicted.dtype) - predicted))
"""


def test_an_own_loss_that_is_named_like_one_of_keras_is_the_persons(tmp_path: Path) -> None:
    run, fit = recorded(OWN_MSE + LAMBDAS, tmp_path, "mean_squared_error")
    assert Setup.of(Case(run, fit)).loss.custom
    model = rebuild(fit.body["model"]["config"], fit.body["model"]["compile"], load_objects(run.folder, fit.index))
    x, y = fit.arrays["train-x0"][:40], fit.arrays["train-y0"][:40].reshape(-1, 1)
    penalty = sum(float(keras.ops.convert_to_numpy(loss)) for loss in model.losses)
    expected = penalty + np.abs(keras.ops.convert_to_numpy(model(x, training=False)) - y).mean()
    assert model.evaluate(x, y, batch_size=40, verbose=0) == pytest.approx(expected, rel=1e-4)
