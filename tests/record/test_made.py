"""Objects of the person's own classes that say too little of how they are made are made again all the same."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from tests.record.made_again import answers_again, recorded

from unstuck.record.rebuild import load_objects, rebuild

LAYERS = {
    "a get_config that leaves arguments out": """
class Block(keras.layers.Layer):
    def __init__(self, units, scale, activation):
        super().__init__()
        self.units, self.scale, self.inner = units, scale, keras.layers.Dense(units, activation=activation)
    def call(self, x):
        return self.inner(x) * self.scale
    def get_config(self):
        return {**super().get_config(), "units": self.units}
model = keras.Sequential([Block(8, 0.5, "relu"), keras.layers.Dense(1, activation="sigmoid")])
""",
    "a Sequential with an __init__ of its own": """
class Tower(keras.Sequential):
    def __init__(self, sizes):
        super().__init__()
        for size in sizes:
            self.add(keras.layers.Dense(size, activation="relu"))
        self.add(keras.layers.Dense(1, activation="sigmoid"))
model = Tower([8, 4])
""",
    "a cell whose layers are built when it is called": """
class Cell(keras.layers.Layer):
    def __init__(self, units):
        super().__init__()
        self.state_size = units
        self.inner, self.back = keras.layers.Dense(units), keras.layers.Dense(units, use_bias=False)
    def call(self, x, states):
        new = keras.ops.tanh(self.inner(x) + self.back(states[0]))
        return new, [new]
model = keras.Sequential([
    keras.Input((30,)),
    keras.layers.Reshape((10, 3)),
    keras.layers.RNN(Cell(4)),
    keras.layers.Dense(1, activation="sigmoid"),
])
""",
    "a functional model of an own class, called with the ends of its graph": """
class Graph(keras.Model):
    pass
ends = keras.Input((30,))
model = Graph(ends, keras.layers.Dense(1, activation="sigmoid")(ends))
""",
    "an initialiser, a regulariser and a constraint": """
class Spread(keras.initializers.Initializer):
    def __init__(self, width):
        self.width = width
    def __call__(self, shape, dtype=None, **kwargs):
        return keras.random.normal(shape, stddev=self.width, dtype=dtype or "float32", seed=3)
class Sum(keras.regularizers.Regularizer):
    def __init__(self, factor):
        self.factor = factor
    def __call__(self, w):
        return self.factor * keras.ops.sum(keras.ops.abs(w))
class Box(keras.constraints.Constraint):
    def __init__(self, top):
        self.top = top
    def __call__(self, w):
        return keras.ops.clip(w, -self.top, self.top)
model = keras.Sequential([
    keras.layers.Dense(
        8, "relu", kernel_initializer=Spread(0.2), kernel_regularizer=Sum(1e-4), kernel_constraint=Box(3.0)
    ),
    keras.layers.Dense(1, activation="sigmoid"),
])
""",
}
SQUARE = "keras.ops.square(keras.ops.cast(keras.ops.reshape(y, keras.ops.shape(p)), p.dtype) - p)"
LOSSES = {
    "a class with arguments": f"""
class Scaled(keras.losses.Loss):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor
    def call(self, y, p):
        return self.factor * {SQUARE}
LOSS = Scaled(np.float32(3.0))
""",
    "an object that is called": f"""
class Scaled:
    def __init__(self, factor):
        self.factor = factor
    def __call__(self, y, p):
        return self.factor * {SQUARE}
LOSS = Scaled(3.0)
""",
    "a partial function": f"""
import functools
def scaled(y, p, factor):
    return factor * {SQUARE}
LOSS = functools.partial(scaled, factor=3.0)
""",
}
MODEL = 'model = keras.Sequential([keras.layers.Dense(1, activation="sigmoid")])\n'


@pytest.mark.filterwarnings("ignore:.build")
@pytest.mark.parametrize("name", LAYERS)
def test_a_model_answers_as_it_did(name: str, tmp_path: Path) -> None:
    run, fit = recorded(LAYERS[name], tmp_path)
    assert np.allclose(np.load(tmp_path / "expected.npy"), answers_again(run, fit), atol=1e-5)


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_is_what_it_was(name: str, tmp_path: Path) -> None:
    run, fit = recorded(MODEL + LOSSES[name], tmp_path, loss="LOSS")
    body = fit.body["model"]
    model = rebuild(body["config"], body["compile"], load_objects(run.folder, 0), (fit.arrays["train-x0"],))
    y, p = np.array([[0.0], [1.0]], "float32"), np.array([[0.5], [1.0]], "float32")
    loss = model.compute_loss(y=keras.ops.convert_to_tensor(y), y_pred=keras.ops.convert_to_tensor(p))
    assert 3 * 0.25 / 2 == pytest.approx(float(keras.ops.convert_to_numpy(loss)))


SCHEDULE = """
class Warm(keras.optimizers.schedules.LearningRateSchedule):
    def __init__(self, peak, steps):
        self.peak, self.steps = peak, steps
    def __call__(self, step):
        return self.peak * keras.ops.minimum(1.0, (keras.ops.cast(step, "float32") + 1.0) / self.steps)
model = keras.Sequential([keras.layers.Dense(1, activation="sigmoid")])
model.compile(keras.optimizers.SGD(Warm(0.5, 10.0)), loss="binary_crossentropy")
model.fit(x, y, epochs=1, verbose=0)
"""


def test_a_schedule_goes_as_it_went(tmp_path: Path) -> None:
    run, fit = recorded(SCHEDULE, tmp_path)
    body = fit.body["model"]
    assert "Warm" == body["optimizer"]["config"]["learning_rate"]["class_name"]
    model = rebuild(body["config"], body["compile"], load_objects(run.folder, 0), (fit.arrays["train-x0"],))
    assert 0.05 == pytest.approx(float(keras.ops.convert_to_numpy(model.optimizer.learning_rate)))
