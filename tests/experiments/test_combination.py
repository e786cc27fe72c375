"""Several causes at once: the smallest set that is enough, from scores that a stand-in for training gives."""

import time
from dataclasses import dataclass, replace

import numpy as np
import pytest

from unstuck.experiments.bench import Bench
from unstuck.experiments.combination import combine
from unstuck.experiments.experiment import Experiment
from unstuck.experiments.intervention import Intervention
from unstuck.experiments.outcome import Outcome
from unstuck.experiments.reproduction import Recorded
from unstuck.experiments.trial import Arm, run_trials
from unstuck.experiments.worker import WorkerLost
from unstuck.measure.task import Task

LABELS = np.arange(200) % 2
BASE = Experiment({"config": {}}, {"optimizer": "sgd"}, (np.zeros((200, 1)),), LABELS, (np.zeros((200, 1)),), 32, 1)


@dataclass(frozen=True)
class Mend(Intervention):
    """Takes one fault out; which faults are left stands in the number of epochs, as bits."""

    fault: int

    @property
    def label(self) -> str:
        return f"mend {self.fault}"

    @property
    def turns(self) -> frozenset[str]:
        return frozenset({self.label})

    def apply(self, experiment: Experiment) -> Experiment:
        return replace(experiment, epochs=experiment.epochs & ~(1 << self.fault))


class Pretend:
    """An executor that does not train: every row is answered right only when no fault is left."""

    def __init__(self, *, lost: int = -1) -> None:
        self.lost = lost

    def train(self, groups, *, seconds, native):
        for number, jobs in enumerate(groups):
            if jobs[0].experiment.epochs == self.lost:
                yield number, WorkerLost("the worker process died")
            else:
                yield number, [self._outcome(job) for job in jobs]

    def _outcome(self, job):
        left = bin(job.experiment.epochs).count("1")
        rng = np.random.default_rng([job.seed, job.experiment.epochs])
        right = rng.random(200) < (0.97 if left == 0 else 0.5)
        answers = np.where(right, LABELS, 1 - LABELS).astype(float)[:, None]
        return Outcome(answers, answers, np.zeros(3), np.zeros(1), 1.0, "pretended")


def bench(faults: int, executor: Pretend | None = None) -> Bench:
    task = Task("binary", 2, LABELS, LABELS, np.array([0.5, 0.5]))
    base = replace(BASE, epochs=faults)
    return Bench(base, task, LABELS, LABELS, executor or Pretend(), time.monotonic() + 60)


def tried(faults: int, mended: tuple[int, ...], executor: Pretend | None = None):
    arms = [Arm(Mend(fault), f"rule-{fault}") for fault in mended]
    where = bench(faults, executor)
    return where, run_trials(where, arms, 3)


def test_one_fault_needs_one_change():
    where, judged = tried(0b001, (0, 1, 2))
    found = combine(where, judged, first=(), wanted=0.8, seeds=3)
    assert ("rule-0",) == found.rules
    assert found.enough
    assert () == found.judged


def test_two_faults_that_hide_each_other_need_both_changes_when_one_is_proven():
    where, judged = tried(0b011, (0, 1, 2))
    assert {"refuted"} == {trial.outcome for arm, trial in judged if arm.role == "intervention"}
    found = combine(where, judged, first=("rule-0",), wanted=0.8, seeds=3)
    assert {"rule-0", "rule-1"} == set(found.rules)
    assert found.enough


def test_two_faults_that_hide_each_other_are_found_as_a_pair():
    where, judged = tried(0b011, (2, 0, 1))
    found = combine(where, judged, first=(), wanted=0.8, seeds=3)
    assert {"rule-0", "rule-1"} == set(found.rules)
    assert {"rule-0", "rule-1"} == {arm.rule for arm, _ in found.judged}


def test_a_change_that_needs_its_rival_beside_it_is_found_with_it():
    where = bench(0b110)
    judged = run_trials(where, [Arm(Mend(1), "rule-1"), Arm(Mend(2), "rule-1", "rival"), Arm(Mend(0), "rule-0")], 3)
    assert "confirmed" not in {trial.outcome for arm, trial in judged if arm.role != "control"}
    found = combine(where, judged, first=(), wanted=0.8, seeds=3)
    assert (("rule-1",), True) == (found.rules, found.enough)
    assert ["mend 1 + mend 2"] == [trial.label for _, trial in found.judged if trial.outcome == "confirmed"]


def test_three_faults_need_three_changes():
    where, judged = tried(0b111, (0, 1, 2, 3))
    assert not combine(where, judged, first=(), wanted=0.8, seeds=3).enough


def test_a_change_that_adds_nothing_is_not_in_the_set():
    where, judged = tried(0b001, (2, 0))
    found = combine(where, judged, first=("rule-2",), wanted=0.8, seeds=3)
    assert "rule-0" in found.rules
    assert found.enough


def test_a_lost_worker_loses_its_own_trials_only():
    _, judged = tried(0b001, (0,), Pretend(lost=0))
    outcomes = {arm.role: trial.outcome for arm, trial in judged}
    assert "not-run" == outcomes["intervention"]
    assert "refuted" == outcomes["placebo"]


def test_an_interrupt_keeps_what_was_finished():
    class Interrupted(Pretend):
        def train(self, groups, *, seconds, native):
            answers = super().train(groups, seconds=seconds, native=native)
            yield next(answers)
            raise KeyboardInterrupt

    where, judged = tried(0b001, (0,), Interrupted())
    assert where.interrupted
    assert 1 == sum(bool(scores.seeds) for scores in where.store.values())
    assert "not-run" in {trial.outcome for _, trial in judged}


@pytest.mark.parametrize(("held", "missed"), [(0.05, False), (0.9, True)])
def test_a_repetition_that_does_not_show_the_recorded_skill_says_by_how_much(held, missed):
    said = Recorded(held=held).missed_by([0.0, 0.02, -0.03], [0.0, 0.0, 0.0])
    assert missed == ("0.90" in said)


def test_the_same_batches_must_give_the_same_losses():
    recorded = Recorded(losses=np.array([1.0, 0.5, 0.25]))
    assert 0.0 == recorded.off_by(np.array([1.0, 0.5, 0.25, 0.1]))
    assert pytest.approx(0.1) == recorded.off_by(np.array([1.0, 0.55, 0.25]))
    assert Recorded().off_by(np.ones(3)) is None
