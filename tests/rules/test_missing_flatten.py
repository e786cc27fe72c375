"""Dense layers on images and windows without a Flatten: named for what they are, whatever Keras says of the shapes."""

import os

import pytest

from unstuck.rules.rule import Example
from unstuck.settings import Settings

pytestmark = pytest.mark.skipif(
    os.environ.get("KERAS_BACKEND", "jax") != "jax",
    reason="which shapes a loss refuses differs; the rule's examples run on all",
)
CLASSES = """
model = keras.Sequential([{layers}, keras.layers.Dense({units}, activation="{last}")])
model.compile("adam", loss="{loss}")
model.fit(x, {y}, epochs=3, validation_data=(x_val, {y_val}), verbose=0)
"""
FUNCTIONAL = """
inputs = keras.Input((8, 8, 1))
hidden = keras.layers.Conv2D(4, 3, activation="relu")(inputs)
hidden = keras.layers.Dense(32, activation="relu")(hidden)
outputs = keras.layers.Dense(10, activation="softmax")(hidden)
model = keras.Model(inputs, outputs)
model.compile(keras.optimizers.Adam(0.01), loss="sparse_categorical_crossentropy")
model.fit(x, y, epochs=6, validation_data=(x_val, y_val), verbose=0)
"""
DENSE = 'keras.layers.Dense(32, activation="relu")'


def classes(layers=DENSE, units=10, last="softmax", loss="sparse_categorical_crossentropy", y="y", y_val="y_val"):
    code = CLASSES.format(layers=layers, units=units, last=last, loss=loss, y=y, y_val=y_val)
    return Example(code, data="images", raises=True)


@pytest.mark.parametrize(
    "example",
    [
        classes(),
        classes(f"keras.layers.Conv2D(4, 3), {DENSE}"),
        classes(loss="categorical_crossentropy", y="np.eye(10)[y]", y_val="np.eye(10)[y_val]"),
        classes(units=1, last="sigmoid", loss="binary_crossentropy", y="y > 4", y_val="y_val > 4"),
    ],
)
def test_an_output_for_every_position_under_one_target_a_row_is_a_missing_flatten(bench, tmp_path, example):
    report = bench.diagnose(example, tmp_path / "run", Settings(experiments="off"))
    assert ["missing-flatten"] == [f.rule for f in report.findings if f.explained_by is None and f.severity == "error"]


@pytest.mark.parametrize(
    "example",
    [
        classes("keras.layers.Flatten()"),
        classes(f"keras.layers.Conv2D(4, 3), keras.layers.GlobalAveragePooling2D(), {DENSE}"),
        # one label for each of the 8 x 8 pixels is what such an output is for
        classes(units=1, last="sigmoid", loss="binary_crossentropy", y="(x > 0.5)", y_val="(x_val > 0.5)"),
    ],
)
def test_an_output_of_the_shape_of_its_targets_is_none(bench, tmp_path, example):
    report = bench.diagnose(example, tmp_path / "run", Settings(experiments="off"))
    assert "missing-flatten" not in [f.rule for f in report.findings]
    assert "label-format-mismatch" not in [f.rule for f in report.findings]


def test_the_functional_model_is_cured_where_its_first_dense_layer_is_called(bench, tmp_path):
    example = Example(FUNCTIONAL, data="images", raises=True)
    report = bench.diagnose(example, tmp_path / "run", Settings(budget=30.0, seeds=3))
    found = next(f for f in report.findings if f.rule == "missing-flatten")
    assert ["keras.layers.Flatten()(hidden)"] == [edit.text for edit in found.fix.edits]
    cure = next(t for t in report.experiments if t.id == found.cure)
    assert "confirmed" == cure.outcome


def test_images_and_labels_of_other_sizes_are_told_by_their_shapes(bench, tmp_path):
    layers = 'keras.layers.Conv2D(4, 3, activation="relu")'
    example = classes(layers, units=2, y="(x[..., 0] > 0.5)", y_val="(x_val[..., 0] > 0.5)")
    report = bench.diagnose(example, tmp_path / "run", Settings(experiments="off"))
    found = next(f for f in report.findings if f.rule == "label-format-mismatch")
    assert "of the shape (8, 8) a row, and sparse categorical crossentropy wants (6, 6)" in found.message


@pytest.mark.parametrize(
    ("imported", "text"),
    [
        ("from keras.layers import Dense, Flatten, Reshape", "model.add(Flatten())\n"),
        ("from keras.layers import Dense, Reshape", "model.add(keras.layers.Flatten())\n"),
    ],
)
def test_the_flatten_is_written_as_the_file_can_name_it(bench, tmp_path, imported, text):
    code = f"""
{imported}

model = keras.Sequential()
model.add(Reshape((8, 8)))
model.add(Dense(32, activation="relu"))
model.add(Dense(10, activation="softmax"))
model.compile("adam", loss="sparse_categorical_crossentropy")
model.fit(x, y, epochs=1, validation_data=(x_val, y_val), verbose=0)
"""
    example = Example(code, data="images", raises=True)
    report = bench.diagnose(example, tmp_path / "run", Settings(experiments="off"))
    found = next(f for f in report.findings if f.rule == "missing-flatten")
    assert [text] == [edit.text for edit in found.fix.edits]
