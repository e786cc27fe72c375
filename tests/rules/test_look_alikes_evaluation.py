"""Programs that look alike and must be told apart: nothing moves, validation is off, predictions are wrong."""

import os

import pytest

from unstuck.rules.rule import Example
from unstuck.settings import Settings

pytestmark = pytest.mark.skipif(
    os.environ.get("KERAS_BACKEND") != "jax", reason="the judgement is the same on every backend"
)

HIDDEN = 'keras.layers.Dense(16, activation="relu")'
HEAD = 'keras.layers.Dense(1, activation="sigmoid")'
COMPILE = 'model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy", metrics=["accuracy"])\n'
PLAIN = f"model = keras.Sequential([keras.Input((30,)), {HIDDEN}, {HEAD}])\n"
FIT = "model.fit(x, y, validation_data=(x_val, y_val), epochs={}, verbose=0)\n"

NOTHING_MOVES = {
    "everything-frozen": PLAIN + "model.trainable = False\n" + COMPILE + FIT.format(4),
    "zero-sample-weights": PLAIN
    + COMPILE
    + "model.fit(x, y, sample_weight=np.zeros(len(x)), validation_data=(x_val, y_val), epochs=4, verbose=0)\n",
    "cut-graph": f"""
inputs = keras.Input((30,))
model = keras.Model(inputs, keras.ops.stop_gradient({HEAD}({HIDDEN}(inputs))))
"""
    + COMPILE
    + FIT.format(4),
    "everything-masked": f"""
x, x_val = np.zeros((len(x), 10, 3), "float32"), np.zeros((len(x_val), 10, 3), "float32")
model = keras.Sequential([keras.layers.Masking(0.0), keras.layers.SimpleRNN(4), {HEAD}])
"""
    + COMPILE
    + FIT.format(2),
}

TRAINED_WELL = {
    "tiny-validation-set": PLAIN
    + COMPILE
    + "model.fit(x, y, validation_data=(x_val[y_val == 1], y_val[y_val == 1]), epochs=15, verbose=0)\n",
    "wrong-decision-rule": PLAIN
    + COMPILE
    + FIT.format(15)
    + "classes = model.predict(x_val, verbose=0).argmax(axis=-1)\n",
    "inference-preprocessing-differs": PLAIN
    + COMPILE
    + FIT.format(15)
    + "model.predict(scaler.inverse_transform(x_val), verbose=0)\n",
    "batchnorm-statistics-cold": f"""
x, x_val = 50 * x + 400, 50 * x_val + 400
model = keras.Sequential([keras.layers.BatchNormalization(), {HIDDEN}, keras.layers.BatchNormalization(), {HEAD}])
"""
    + COMPILE
    + FIT.format(5),
}

SOUND = {
    "dropout makes the training loss the higher one": f"""
model = keras.Sequential([keras.layers.Dropout(0.3), {HIDDEN}, keras.layers.Dropout(0.5), {HEAD}])
"""
    + COMPILE
    + FIT.format(15),
    "a frozen base with a new head": f"""
base = keras.Sequential([keras.Input((30,)), keras.layers.Dense(64, activation="relu")])
base.trainable = False
model = keras.Sequential([base, {HEAD}])
"""
    + COMPILE
    + FIT.format(20),
}


def diagnosed(bench, code, folder):
    return bench.diagnose(Example(code), folder / "run", Settings(experiments="off"))


@pytest.mark.parametrize("cause", [*NOTHING_MOVES, *TRAINED_WELL])
def test_programs_that_look_alike_have_their_own_first_root(cause, bench, tmp_path):
    report = diagnosed(bench, (NOTHING_MOVES | TRAINED_WELL)[cause], tmp_path)
    roots = [f.rule for f in report.findings if f.explained_by is None]
    assert roots[:1] == [cause], roots


@pytest.mark.parametrize("program", SOUND)
def test_sound_programs_get_notes_at_most(program, bench, tmp_path):
    report = diagnosed(bench, SOUND[program], tmp_path)
    assert [f.rule for f in report.findings if f.severity != "note"] == []


def test_classes_that_were_never_trained_are_not_numbered_otherwise(bench, tmp_path):
    code = """
x, y = np.concatenate([x, x_val]), np.concatenate([y, y_val])
order = np.argsort(y, kind="stable")
x, y, x_val, y_val = x[order][:1400], y[order][:1400], x[order][1400:], y[order][1400:]
model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(32, "relu"), keras.layers.Dense(10, "softmax")])
model.compile(keras.optimizers.Adam(0.01), loss="sparse_categorical_crossentropy")
model.fit(x, y, validation_data=(x_val, y_val), epochs=5, verbose=0)
"""
    report = bench.diagnose(Example(code, data="images"), tmp_path / "run", Settings(experiments="off"))
    assert ["ordered-validation-split"] == [f.rule for f in report.findings if f.severity == "error"]
    told = next(r for r in report.rules if r.rule == "class-index-mismatch")
    assert told.outcome in ("cleared", "not-applicable")
