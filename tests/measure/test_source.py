"""Spans and edits in the recorded source."""

from types import SimpleNamespace

import pytest

from unstuck.measure.code.source import Sources
from unstuck.measure.setup import Setup

CODE = """import keras
from keras import layers
größe = 1
m = keras.Sequential([layers.Dense(1, activation="softmax")]); ä = "ö"; m.compile("adam", loss="mse")
"""


def sources(text=CODE):
    return Sources({"/home/a/train.py": tuple(text.splitlines())}, "/home/a")


def site(text, call):
    line = next(i for i, row in enumerate(text.splitlines(), 1) if call in row)
    column = text.splitlines()[line - 1].index(call) + 1
    return {"file": "/home/a/train.py", "line": line, "column": column}


def test_an_argument_is_found_by_name_and_by_position_with_columns_in_characters():
    found = sources().argument(site(CODE, "layers.Dense"), "activation", 1)
    assert '"softmax"' == sources().text(found)
    compiled = site(CODE, "m.compile")
    assert '"adam"' == sources().text(sources().argument(compiled, "optimizer", 0))
    assert 'loss="mse"' == sources().text(sources().argument(compiled, "loss", 1, whole=True))


def test_a_missing_argument_is_added_at_the_end_of_the_call():
    edit = sources().set_argument(site(CODE, "m.compile"), "jit_compile", "False", 6)
    line = CODE.splitlines()[3]
    assert ", jit_compile=False" == edit.text
    assert '"mse"' == line[edit.start[1] - 6 : edit.start[1] - 1]


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("import keras", "keras"),
        ("import keras as K", "K"),
        ("import tensorflow as tf", "tf.keras"),
        ("from tensorflow import keras", "keras"),
        ("from keras.layers import Dense", ""),
    ],
)
def test_keras_goes_by_the_name_the_file_gives_it(line, name):
    assert name == sources(line).keras_name("/home/a/train.py")


def test_source_that_does_not_parse_gives_no_spans_and_no_error():
    broken = sources("x = (")
    assert broken.call({"file": "/home/a/train.py", "line": 1, "column": 1}) is None
    assert "" == broken.keras_name("/home/a/train.py")


MADE = """x, y = load()
def train(x):
    y = x.sum(axis=1)
    for column in range(3):
        y[column] = 0
    model.fit(x, y)
x /= 2
model.fit(x, y=y + 0)
"""


@pytest.mark.parametrize(
    ("call", "argument", "made"),
    [
        ("    model.fit", ("y", 1), "y[column] = 0"),
        ("    model.fit", ("x", 0), None),  # an argument of the function
        ("model.fit(x, y=", ("x", 0), "x /= 2"),
        ("model.fit(x, y=", ("y", 1), None),  # no bare name
    ],
)
def test_a_name_is_followed_to_where_it_got_its_value_last(call, argument, made):
    found = sources(MADE)
    place = site(MADE, call)
    place["column"] += len(call) - len(call.lstrip())
    origin = found.origin(found.argument(place, *argument))
    assert made == (found.text(origin) if origin else None)


@pytest.mark.parametrize(
    ("line", "changed"),
    [
        ("model.fit(x, y, 32)", ", epochs=500"),
        ("model.fit(x, y, 32, 4)", "500"),
        ("cross_val_score(model, x, y, 5)", None),  # calls fit inside; has no epochs, and another fourth argument
    ],
)
def test_an_argument_of_fit_is_written_into_a_call_of_fit_only(line: str, changed: str | None):
    setup = SimpleNamespace(sources=sources(line), sites={"fit": site(line, line)})
    edit = Setup.fit_edit(setup, "epochs", "500", 3)
    assert changed == (edit.text if edit else None)
