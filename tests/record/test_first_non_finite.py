"""The first loss that is no number is followed to its batch, row, column and layer."""

import keras
import numpy as np
import pytest

from unstuck.measure.case import Case
from unstuck.measure.training.first_non_finite import FirstNonFinite
from unstuck.record.probe import probe_fit
from unstuck.record.probe_non_finite import locate
from unstuck.record.recorded import read_run
from unstuck.record.recorder import Recorder
from unstuck.record.watch import FitRecorder

IN_GRAPH = keras.backend.backend() == "tensorflow"


def fit_and_look(folder, x, model, rate, epochs):
    model.compile(keras.optimizers.SGD(rate), "mse")
    watch = FitRecorder(Recorder(folder))
    model.fit(x, np.ones(len(x)), batch_size=10, epochs=epochs, shuffle=False, verbose=0, callbacks=[watch])
    watch._recorder.close("completed")
    assert "" == probe_fit(folder, 0)
    run = read_run(folder)
    assert not [event.body for event in run.events if event.kind == "fault"]
    return run.fits[0], Case(run, run.fits[0]).find(FirstNonFinite)


@pytest.mark.skipif(IN_GRAPH, reason="batches stay in TensorFlow's graph")
def test_a_missing_value_is_found_in_its_row_and_column(tmp_path):
    keras.utils.set_random_seed(0)
    x = np.random.default_rng(0).normal(size=(60, 4)).astype("float32")
    x[37, 2] = np.nan
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="first"), keras.layers.Dense(1)])
    fit, found = fit_and_look(tmp_path, x, model, 0.01, 1)
    assert (4, True) == (fit.non_finite["step"], fit.non_finite["batch"])
    assert (4, (("x0", 7, 2),), "first", (7,)) == (found.step, found.cells, found.layer, found.rows)
    assert "it began with the batch of step 4: row 7, column 2 of the inputs" == found.text


def test_a_loss_that_overflows_is_noticed_at_its_step(tmp_path):
    keras.utils.set_random_seed(0)
    x = np.random.default_rng(0).normal(size=(60, 4)).astype("float32")
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3), keras.layers.Dense(1)])
    fit, found = fit_and_look(tmp_path, x, model, 1e12, 2)
    losses = fit.losses
    assert fit.non_finite["step"] == losses[~np.isfinite(losses[:, 2])][0, 1]
    assert IN_GRAPH or found.cells == ()


def test_the_last_finite_weights_before_the_step_are_asked():
    asked = []

    def look(values, x):
        asked.append(float(values[0][0]))
        outputs = np.array([[1.0], [np.inf], [2.0]])
        return [{"name": "a", "finite": True}, {"name": "b", "finite": False}], outputs

    weights = [[np.array([v])] for v in (0.0, 1.0, np.nan, 3.0)]
    found = locate([0, 2, 4, 8], weights, 6, {"x0": np.ones((3, 2)), "y0": np.array([1, 2, 3])}, look)
    assert [1.0] == asked
    assert {"step": 6, "cells": [], "layer": "b", "rows": [1], "weights_step": 2} == found
