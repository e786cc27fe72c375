"""What a proven cure needs beside it, from scores that a stand-in for training gives."""

import pytest
from tests.experiments.test_combination import Mend, bench

from unstuck.experiments import follow_up as module
from unstuck.experiments.combination import mean_skill
from unstuck.experiments.follow_up import follow_up
from unstuck.experiments.intervention import Together
from unstuck.experiments.trial import Arm, run_trials

PROVEN = ["rule-0"]


@pytest.fixture(autouse=True)
def _steps(monkeypatch):
    monkeypatch.setattr(module, "NEXT", (Mend(3), Mend(1), Mend(2)))
    monkeypatch.setattr(module, "ANEW", ())


def followed(faults: int, *, wanted: float = 0.9, proven=PROVEN):
    where = bench(faults)
    singles = run_trials(where, [Arm(Mend(0), "rule-0")], 3)
    return follow_up(where, singles, (), proven, wanted=wanted, seeds=3)


def test_the_step_that_is_enough_on_top_of_the_cure_is_found():
    ((arm, trial),) = followed(0b011)
    assert arm.intervention == Together((Mend(0), Mend(1)))
    assert arm.rule == "rule-0"
    assert trial.outcome == "confirmed"
    assert mean_skill(trial) > 0.9


def test_nothing_is_tried_where_the_cure_is_enough():
    assert followed(0b001) == []


def test_nothing_is_tried_for_what_is_only_suspected():
    assert followed(0b011, proven=[]) == []


def test_nothing_is_told_where_no_step_helps():
    assert followed(0b110000) == []


def test_steps_that_turn_what_the_cure_turns_are_left_out(monkeypatch):
    monkeypatch.setattr(module, "NEXT", (Mend(0),))
    assert followed(0b011) == []


def test_where_no_step_is_enough_several_are_and_those_that_add_nothing_are_left_out(monkeypatch):
    monkeypatch.setattr(module, "ANEW", ((Mend(4), Mend(1)), (Mend(4), Mend(1), Mend(5), Mend(2), Mend(3))))
    ((arm, trial),) = followed(0b1111)
    assert arm.intervention == Together((Mend(0), Mend(1), Mend(2), Mend(3)))
    assert trial.outcome == "confirmed"
    assert len(trial.seeds) == 6


def test_nothing_is_told_where_all_steps_together_do_not_help(monkeypatch):
    monkeypatch.setattr(module, "ANEW", ((Mend(1), Mend(2)),))
    assert followed(0b1111) == []
