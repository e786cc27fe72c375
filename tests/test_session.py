"""The Python use: `diagnose` on a model, `Watch` on a fit, and what importing the package costs."""

import subprocess
import sys

import numpy as np
import pytest

import unstuck


def rows(n=200):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 5)).astype("float32")
    return x, (x[:, :1] + x[:, 1:2] > 0).astype("float32")


def stuck_model():
    import keras

    model = keras.Sequential([keras.layers.Dense(8, activation="relu"), keras.layers.Dense(1, activation="softmax")])
    model.compile("adam", loss="binary_crossentropy")
    return model


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.filterwarnings("ignore")
def test_diagnose_proves_the_cause_tries_the_cure_and_leaves_the_model_alone():
    model = stuck_model()
    x, y = rows()
    model.build((None, 5))
    before = [np.array(v) for v in model.get_weights()]
    state = np.random.get_state()[1].copy()
    report = unstuck.diagnose(model, x[:150], y[:150], validation_data=(x[150:], y[150:]), epochs=20, budget=60)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
    assert np.array_equal(state, np.random.get_state()[1])
    first = report.findings[0]
    assert ("softmax-on-one-unit", "proven") == (first.rule, first.confidence)
    assert first.worth > 0.5
    assert "softmax over a single unit" in str(report)
    with pytest.raises(unstuck.FindingsError, match="softmax-on-one-unit"):
        report.raise_for_findings("error")


@pytest.mark.filterwarnings("ignore")
def test_watch_reports_on_a_fit_of_ones_own_and_points_at_the_layer():
    x, y = rows()
    model, watch = stuck_model(), unstuck.Watch(experiments="off")
    model.fit(x, y, validation_split=0.25, epochs=2, verbose=0, callbacks=[watch])
    first = watch.report.findings[0]
    assert ("softmax-on-one-unit", "proven") == (first.rule, first.confidence)
    assert __file__.endswith(first.location.file.split("/")[-1])
    assert 150 == watch.report.fits[0].rows


@pytest.mark.filterwarnings("ignore")
def test_watch_can_raise_at_the_end_of_training():
    x, y = rows()
    with pytest.raises(unstuck.FindingsError):
        stuck_model().fit(x, y, epochs=1, verbose=0, callbacks=[unstuck.Watch("raise", experiments="off")])


def test_watch_stops_training_when_the_loss_is_no_number():
    import keras

    x, y = rows()
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(1e30), loss="mse")
    history = model.fit(x, y, epochs=50, verbose=0, callbacks=[unstuck.Watch("stop", experiments="off")])
    assert len(history.epoch) < 50


def test_watch_stops_within_an_epoch():
    import keras

    x, y = (np.repeat(part, 20, axis=0) for part in rows())
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(1e30), loss="mse")
    watch = unstuck.Watch("stop", experiments="off")
    model.fit(x, y, batch_size=1, epochs=1, verbose=0, callbacks=[watch])
    assert watch.report.fits[0].steps < len(x) / 2


def test_a_model_that_is_not_compiled_gets_a_clear_error():
    import keras

    with pytest.raises(unstuck.UnstuckError, match=r"E015.*not compiled.*compile"):
        unstuck.diagnose(keras.Sequential([keras.layers.Dense(1)]), *rows())


def test_data_that_are_no_array_get_a_clear_error():
    with pytest.raises(unstuck.UnstuckError, match=r"E017.*array-like"):
        unstuck.diagnose(stuck_model(), (row for row in [1, 2]), rows()[1])


def test_importing_the_package_imports_neither_keras_nor_numpy():
    code = "import sys, unstuck; print(sorted({'keras', 'numpy', 'sklearn', 'jax'} & set(sys.modules)))"
    assert "[]" == subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip()


def test_the_public_names_are_these():
    expected = ["Edit", "Evidence", "Finding", "FindingsError", "Fix", "Location", "Report", "Rule", "Trial"]
    assert [*expected, "UnstuckError", "Watch", "__version__", "diagnose"] == unstuck.__all__
    assert all(getattr(unstuck, name) is not None for name in unstuck.__all__)
