"""Programs whose losses look alike and whose causes do not: each gets its own verdict, and the healthy ones none."""

import math
import os

import pytest

from unstuck.rules.rule import Example
from unstuck.settings import Settings

pytestmark = pytest.mark.skipif(
    os.environ.get("KERAS_BACKEND", "jax") != "jax", reason="the numbers are those of JAX; the rules are tested on all"
)
CHEAP = Settings(experiments="off")
"""No trials: what tells these apart is decided by arithmetic or by the replay."""

ONE_UNIT = """
model = keras.Sequential([keras.layers.Dense(16, activation="relu"), keras.layers.Dense(1{head})])
model.compile("adam", loss="{loss}")
model.fit(x, {y}, epochs={epochs}, validation_data=(x_val, {y_val}), verbose=0)
"""
FLAT_LN_3 = """
hidden = keras.layers.Dense(16, activation="relu", kernel_initializer="{hidden}")
head = keras.layers.Dense(3, activation="softmax", kernel_initializer="zeros")
hidden.trainable = head.trainable = {trainable}
model = keras.Sequential([hidden, head])
model.compile("sgd", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=4, validation_data=(x_val, y_val), verbose=0)
"""

TWICE = """
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense({units}, activation="{activation}"),
    keras.layers.Activation("{activation}"),
])
model.compile(keras.optimizers.Adam(0.01), loss="{loss}")
model.fit(x, y, epochs=30, validation_data=(x_val, y_val), verbose=0)
"""

EXPONENTIAL = ', activation="exponential", bias_initializer=keras.initializers.Constant(3.0)'


def near(value, tolerance):
    return lambda loss: abs(loss - value) < tolerance


def binary(data="two-classes", *, head=', activation="sigmoid"', loss="binary_crossentropy", y="y", epochs=4):
    code = ONE_UNIT.format(head=head, loss=loss, y=y, y_val=y.replace("y", "y_val"), epochs=epochs)
    return Example(code, data=data)


ALIKE = {
    "flat at ln 3, frozen": (
        Example(FLAT_LN_3.format(trainable=False, hidden="glorot_uniform"), data="three-classes"),
        near(math.log(3), 0.02),
        "everything-frozen",
    ),
    "flat at ln 3, every kernel 0": (
        Example(FLAT_LN_3.format(trainable=True, hidden="zeros"), data="three-classes"),
        near(math.log(3), 0.02),
        "zero-initialised-kernel",
    ),
    "at 2 ln 2, two labels a row": (
        Example(
            """
labels = np.array([[1, 1, 0], [0, 1, 1], [1, 0, 1]], dtype="float32")
model = keras.Sequential([keras.layers.Dense(16, activation="relu"), keras.layers.Dense(3, activation="softmax")])
model.compile(keras.optimizers.Adam(0.03), loss="categorical_crossentropy")
model.fit(x, labels[y], epochs=20, validation_data=(x_val, labels[y_val]), verbose=0)
""",
            data="three-classes",
        ),
        near(2 * math.log(2), 0.03),
        "softmax-for-multilabel",
    ),
    "15.94 times the errors, one softmax unit": (
        binary(head=', activation="softmax"'),
        near(-math.log(1e-7) * 0.3732, 0.2),
        "softmax-on-one-unit",
    ),
    "15.94 times the errors, one softmax unit in a wrapper": (
        Example(
            """
x, x_val = (a[..., None] for a in (x, x_val))
y, y_val = (np.repeat(a[:, None, None], x.shape[1], axis=1) for a in (y, y_val))
model = keras.Sequential([
    keras.layers.GRU(8, return_sequences=True),
    keras.layers.TimeDistributed(keras.layers.Dense(1, activation="softmax")),
])
model.compile("adam", loss="binary_crossentropy")
model.fit(x, y, epochs=1, validation_data=(x_val, y_val), verbose=0)
"""
        ),
        near(-math.log(1e-7) * 0.3732, 0.2),
        "softmax-on-one-unit",
    ),
    "15.94 times the errors, clipped linear outputs": (
        binary(head=", bias_initializer=keras.initializers.Constant(-30.0)"),
        near(-math.log(1e-7) * 0.6268, 0.2),
        "missing-output-activation",
    ),
    "above its floor of ln(1 + 2/e), softmax in two layers": (
        Example(
            TWICE.format(units=3, activation="softmax", loss="sparse_categorical_crossentropy"),
            data="three-classes",
        ),
        near(math.log(1 + 2 / math.e), 0.03),
        "double-softmax",
    ),
    "above its floor of ln(1 + 1/e) to ln 2, sigmoid in two layers": (
        Example(TWICE.format(units=1, activation="sigmoid", loss="binary_crossentropy")),
        near(0.6268 * math.log(1 + 1 / math.e) + 0.3732 * math.log(2), 0.05),
        "double-sigmoid",
    ),
    "negative, prices under a loss for classes": (
        binary("regression", y="10 * y + 40", epochs=12),
        lambda loss: loss < 0,
        "class-loss-on-regression",
    ),
    "negative, labels 1 and 2": (
        binary(y="y + 1", epochs=12),
        lambda loss: loss < 0,
        "labels-wrongly-encoded",
    ),
    "negative and healthy, large counts under a Poisson loss": (
        binary("regression", head=EXPONENTIAL, loss="poisson", y="np.round(np.exp(y / 2 + 3))", epochs=30),
        lambda loss: loss < 0,
        None,
    ),
    "near 0 without skill, a divergence on one unit": (
        binary(loss="kl_divergence", y="y.reshape(-1, 1)", epochs=30),
        near(0.0, 0.03),
        "unsuitable-loss",
    ),
    "near 0 without skill, the logarithmic error of numbers around 0": (
        binary("regression", head="", loss="msle", y="0.3 * y", epochs=20),
        near(0.0, 0.05),
        "unsuitable-loss",
    ),
    "near 0 without skill, tiny targets": (
        binary("regression", head="", loss="mse", y="0.001 * y", epochs=20),
        near(0.0, 0.03),
        "tiny-targets",
    ),
}


@pytest.mark.parametrize("name", ALIKE)
def test_programs_with_the_same_loss_are_told_apart(name, bench, tmp_path):
    example, symptom, expected = ALIKE[name]
    report = bench.diagnose(example, tmp_path / "run", CHEAP)
    assert symptom(report.fits[0].reported_loss), report.fits[0].reported_loss
    roots = [f.rule for f in report.findings if f.explained_by is None]
    errors = [(f.rule, f.message) for f in report.findings if f.severity == "error"]
    assert expected == (roots[0] if expected else next(iter(errors), None))
