"""Where no change raises held-out skill, but the training loss is above that of a constant answer."""

import time
from dataclasses import replace

import numpy as np
from tests.experiments.test_combination import BASE, LABELS, Mend

from unstuck.experiments.bench import LOG_LOSS, Bench
from unstuck.experiments.outcome import Outcome
from unstuck.experiments.trial import Arm, run_trials
from unstuck.measure.task import Task


class SureOrSilent:
    """An executor that does not train: with the fault answers are sure and drawn by lot, without it they are 0.5."""

    def train(self, groups, *, seconds, native):
        for number, jobs in enumerate(groups):
            yield number, [self._outcome(job) for job in jobs]

    def _outcome(self, job):
        drawn = np.random.default_rng(job.seed).permutation(LABELS).astype(float)[:, None]
        answers = drawn if job.experiment.epochs else np.full((200, 1), 0.49)
        return Outcome(answers, answers, np.zeros(3), np.zeros(1), 1.0, "pretended")


def confirmed(second: str) -> list[tuple[str, str]]:
    task = Task("binary", 2, LABELS, LABELS, np.array([0.5, 0.5]))
    base = replace(BASE, epochs=1)
    bench = Bench(base, task, LABELS, LABELS, SureOrSilent(), time.monotonic() + 60, second=second)
    judged = run_trials(bench, [Arm(Mend(0), "rule"), Arm(Mend(1), "other")], 3)
    return [(arm.rule, trial.metric) for arm, trial in judged if trial.outcome == "confirmed"]


def test_a_change_that_only_brings_the_loss_down_is_confirmed_by_the_loss():
    assert [("rule", LOG_LOSS)] == confirmed(LOG_LOSS)


def test_nothing_is_judged_by_the_loss_where_the_run_does_not_ask_for_it():
    assert [] == confirmed("")
