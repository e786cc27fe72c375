"""Causes that the installed Keras no longer has, on hand-made evidence."""

import ast
from types import SimpleNamespace

import numpy as np
import pytest

from unstuck.measure.case import Missing
from unstuck.measure.code.loops import Loop
from unstuck.measure.code.source import Sources
from unstuck.rules.rule import Cleared, NotApplicable, Suspect
from unstuck.rules.running_mean_loss import RunningMeanLoss
from unstuck.rules.validation_data_list import ValidationDataList


def fit(line):
    call = ast.parse(line).body[0].value
    site = {"file": "train.py", "line": 1, "column": 1, "end_line": 1, "end_column": call.end_col_offset + 1}
    return SimpleNamespace(sources=Sources({"train.py": (line,)}, ""), sites={"fit": site})


def curve(held):
    return SimpleNamespace(held=np.array(held), epochs=np.array([0.7, 0.5]))


def test_a_list_without_any_validation_loss_is_read_as_inputs_alone():
    found = ValidationDataList().check(fit("model.fit(x, y, validation_data=[xv, yv])"), curve([0.0, 0.0]))
    assert isinstance(found, Suspect)
    assert found.fix.edits[0].text == "(xv, yv)"


@pytest.mark.parametrize(
    ("line", "held", "answer"),
    [
        ("model.fit(x, y, validation_data=[xv, yv])", [0.6, 0.4], Cleared),
        ("model.fit(x, y, validation_data=(xv, yv))", [0.0, 0.0], NotApplicable),
    ],
)
def test_a_list_that_keras_unpacks_and_a_tuple_are_left_alone(line, held, answer):
    assert isinstance(ValidationDataList().check(fit(line), curve(held)), answer)


def test_losses_of_single_batches_are_known_only_where_keras_resets_its_metrics():
    assert isinstance(RunningMeanLoss().check(Loop(True, (3, 15), False)), Cleared)
    assert isinstance(RunningMeanLoss().check(Loop(True, (3, 5), True)), Cleared)
    assert isinstance(RunningMeanLoss().check(Loop(False, (3, 5), False)), NotApplicable)
    with pytest.raises(Missing):
        RunningMeanLoss().check(Loop(True, (3, 5), False))
