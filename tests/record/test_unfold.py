"""Models and layers of the person's own classes, made again from what they were made with, and read as graphs."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from tests.record.made_again import answers_again, recorded

from unstuck.record.describe import serialized
from unstuck.record.rebuild import CannotRebuild, load_objects, rebuild
from unstuck.record.recorded import read_run
from unstuck.record.unfold import unfold

PLAIN = """
class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden = keras.layers.Dense(16, activation="relu")
        self.out = keras.layers.Dense(1, activation="sigmoid")
    def call(self, x):
        return self.out(self.hidden(x))
model = Net()
"""
OUT_OF_ORDER = """
class Net(keras.Model):
    def __init__(self, units, rate=0.1):
        super().__init__()
        self.out = keras.layers.Dense(1, activation="sigmoid")
        self.norm = keras.layers.BatchNormalization()
        self.drop = keras.layers.Dropout(rate)
        self.hidden = [keras.layers.Dense(units, activation="relu") for _ in range(3)]
    def call(self, x, training=False):
        for layer in self.hidden:
            x = x + layer(keras.ops.concatenate([x, x * 2], axis=-1)) if layer is not self.hidden[0] else layer(x)
        return self.out(self.drop(self.norm(x, training=training), training=training))
model = Net(24)
"""
FROM_LAYERS = """
class Net(keras.Model):
    def __init__(self, body, head):
        super().__init__()
        self.body, self.head = body, head
    def call(self, x):
        return self.head(self.body(x))
model = Net(keras.Sequential([keras.layers.Dense(9, activation="tanh")]), head=keras.layers.Dense(1, "sigmoid"))
"""
BRANCHES = """
class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden, self.drop = keras.layers.Dense(16, activation="relu"), keras.layers.Dropout(0.5)
        self.out = keras.layers.Dense(1, activation="sigmoid")
    def call(self, x, training=False):
        x = self.hidden(x)
        if training:
            x = self.drop(x, training=True)
        return self.out(x)
model = Net()
"""
OWN_LOSS = """
class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.out = keras.layers.Dense(1, activation="sigmoid")
    def call(self, x):
        self.add_loss(keras.ops.mean(x) * 0.1)
        return self.out(x)
model = Net()
"""
OWN_LAYER = """
class Scaled(keras.layers.Layer):
    def __init__(self, units, factor=1.0):
        super().__init__()
        self.dense, self.factor = keras.layers.Dense(units, activation="relu"), factor
    def call(self, x):
        return self.dense(x) * self.factor
body = [Scaled(12, 0.5), Scaled(6, factor=2.0)]
model = keras.Sequential([keras.Input((x.shape[1],)), *body, keras.layers.Dense(1, activation="sigmoid")])
"""
OWN_WEIGHTS = """
class Gate(keras.layers.Layer):
    def __init__(self, start):
        super().__init__()
        self.start = start
    def build(self, shape):
        self.scale = self.add_weight(shape=(shape[-1],), initializer=keras.initializers.Constant(self.start))
    def call(self, x):
        return x * self.scale
class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.out, self.gate = keras.layers.Dense(1, activation="sigmoid"), Gate(0.5)
    def call(self, x):
        return self.out(self.gate(x))
model = Net()
"""


@pytest.mark.parametrize("code", [PLAIN, OUT_OF_ORDER, FROM_LAYERS])
def test_a_model_of_an_own_class_is_read_as_the_graph_it_is(code: str, tmp_path: Path) -> None:
    _, before = recorded(code, tmp_path)
    assert before.body["model"]["kind"] == "subclassed"
    assert unfold(tmp_path, before)
    run = read_run(tmp_path)
    model = run.fits[0].body["model"]
    assert model["kind"] == "functional"
    assert {layer["name"] for layer in model["layers"]} >= {layer["name"] for layer in before.body["model"]["layers"]}
    assert all(layer["site"] for layer in model["layers"] if layer["kind"] not in ("InputLayer",))
    assert (model["layers"][-1]["kind"], model["layers"][-1]["output_shape"]) == ("Dense", [None, 1])
    assert np.allclose(np.load(tmp_path / "expected.npy"), answers_again(run, run.fits[0]), atol=1e-5)


@pytest.mark.parametrize("code", [BRANCHES, OWN_LOSS])
def test_what_is_more_than_its_layers_stays_the_class_it_is(code: str, tmp_path: Path) -> None:
    run, fit = recorded(code, tmp_path)
    assert not unfold(tmp_path, fit)
    assert np.allclose(np.load(tmp_path / "expected.npy"), answers_again(run, fit), atol=1e-5)


def test_an_own_layer_without_a_config_is_made_again_with_its_arguments_and_opened(tmp_path: Path) -> None:
    run, fit = recorded(OWN_LAYER, tmp_path)
    expected = np.load(tmp_path / "expected.npy")
    assert [layer["kind"] for layer in fit.body["model"]["layers"]] == ["Scaled", "Scaled", "Dense"]
    assert np.allclose(expected, answers_again(run, fit), atol=1e-5)
    assert unfold(tmp_path, fit)
    run = read_run(tmp_path)
    layers = run.fits[0].body["model"]["layers"]
    assert [layer["kind"] for layer in layers if layer["kind"] != "InputLayer"] == ["Dense", "Dense", "Dense"]
    assert all(layer["site"] for layer in layers if layer["kind"] != "InputLayer")
    assert np.allclose(expected, answers_again(run, run.fits[0]), atol=1e-5)


def test_a_layer_with_weights_of_its_own_stays_one_layer_of_the_graph(tmp_path: Path) -> None:
    run, fit = recorded(OWN_WEIGHTS, tmp_path)
    assert unfold(tmp_path, fit)
    run = read_run(tmp_path)
    kinds = [layer["kind"] for layer in run.fits[0].body["model"]["layers"]]
    assert ["Gate", "Dense"] == [kind for kind in kinds if kind != "InputLayer"]
    assert np.allclose(np.load(tmp_path / "expected.npy"), answers_again(run, run.fits[0]), atol=1e-5)


FROZEN_INSIDE = """
class Taught(keras.Model):
    def __init__(self, teacher):
        super().__init__()
        self.teacher = teacher
        self.first = keras.layers.Dense(8, activation="relu")
        self.out = keras.layers.Dense(1, activation="sigmoid")
    def call(self, x):
        return self.out(self.first(x))
    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return keras.ops.mean(keras.ops.square(self.teacher(x) - y_pred))
teacher = keras.Sequential([keras.Input((30,)), keras.layers.Dense(1, activation="sigmoid")])
teacher.trainable = False
model = Taught(teacher)
model.first.trainable = False
"""


def test_what_is_frozen_in_a_model_of_an_own_class_is_frozen_when_it_is_made_again(tmp_path: Path) -> None:
    run, fit = recorded(FROZEN_INSIDE, tmp_path)
    model = rebuild(fit.body["model"]["config"], None, load_objects(run.folder, 0), (fit.arrays["train-x0"],))
    assert [layer.trainable for layer in (model, model.teacher, model.first, model.out)] == [True, False, False, True]
    assert [v.shape for v in model.trainable_variables] == [(8, 1), (1,)]


CONFIGURED = """
from dataclasses import dataclass
@dataclass
class Config:
    units: int = 8
    scale: object = None
class Net(keras.Model):
    def __init__(self, config, activation):
        super().__init__()
        self.scale, self.activation = config.scale, activation
        self.hidden = keras.layers.Dense(config.units)
        self.out = keras.layers.Dense(1, activation="sigmoid")
    def call(self, x):
        return self.out(keras.ops.multiply(self.activation(self.hidden(x)), self.scale))
bend = 0.1
model = Net(Config(scale=np.full((8,), 0.5, "float32")), activation=lambda h: keras.ops.leaky_relu(h, bend))
"""


def test_a_class_that_is_called_with_what_is_no_text_is_made_again_and_opened(tmp_path: Path) -> None:
    run, fit = recorded(CONFIGURED, tmp_path)
    expected = np.load(tmp_path / "expected.npy")
    made = fit.body["model"]["config"]["config"]["made_with"]
    assert {"held"} == {value["class_name"] for value in (*made[0], *made[1].values())}
    assert np.allclose(expected, answers_again(run, fit), atol=1e-5)
    assert unfold(tmp_path, fit)
    run = read_run(tmp_path)
    assert ["Dense", "Dense"] == [
        layer["kind"] for layer in run.fits[0].body["model"]["layers"] if layer["kind"] == "Dense"
    ]
    assert np.allclose(expected, answers_again(run, run.fits[0]), atol=1e-5)


def test_a_class_that_is_called_with_what_cannot_be_kept_says_so(tmp_path: Path) -> None:
    code = CONFIGURED.replace('np.full((8,), 0.5, "float32")', "0.5").replace(
        "    units: int = 8", "    units: int = 8\n    lock: object = __import__('threading').Lock()"
    )
    run, fit = recorded(code, tmp_path)
    with pytest.raises(CannotRebuild, match="Net was called with a Config, which cannot be kept"):
        answers_again(run, fit)


def test_a_large_array_among_the_arguments_is_not_written_down(tmp_path: Path) -> None:
    code = OWN_WEIGHTS.replace("Gate(0.5)", "Gate(np.full((50, 30), 0.5))").replace("(self.start)", "(0.5)")
    run, fit = recorded(
        code.replace("model = Net()", "model = keras.Sequential([Gate(np.full((50, 30), 0.5)), Net().out])"), tmp_path
    )
    assert "held" == fit.body["model"]["held"][1]["made_with"][0][0]["class_name"]
    assert np.allclose(np.load(tmp_path / "expected.npy"), answers_again(run, fit), atol=1e-5)


def test_a_class_and_one_that_comes_from_it_are_described_and_made_again_without_their_arguments() -> None:
    class Parent(keras.layers.Layer):
        def call(self, x):
            return x

    class Child(Parent):
        pass

    model = keras.Sequential([keras.Input((2,)), Parent(), Child()])
    config = serialized(model, lambda _: None)
    again = rebuild(config, None, {"Parent": Parent, "Child": Child})
    assert [type(layer).__name__ for layer in again.layers] == ["Parent", "Child"]
