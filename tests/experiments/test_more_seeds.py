"""How many seeds a change gets that the first ones leave open."""

import time
from dataclasses import replace

import numpy as np
import pytest
from tests.experiments.test_combination import BASE, LABELS, Mend

from unstuck.experiments.bench import Bench
from unstuck.experiments.outcome import Outcome
from unstuck.experiments.reproduction import Recorded
from unstuck.experiments.trial import MAX_SEEDS, SETTLING_SEEDS, Arm, run_trials
from unstuck.measure.task import Task


class StuckNowAndThen:
    """An executor that does not train: as written, one of so many seeds in turn gets stuck at chance."""

    def __init__(self, every: int, first: int = 0) -> None:
        self.every, self.first = every, first

    def train(self, groups, *, seconds, native):
        for number, jobs in enumerate(groups):
            yield number, [self._outcome(job) for job in jobs]

    def _outcome(self, job):
        stuck = job.experiment.epochs and job.seed % self.every == self.first
        right = np.random.default_rng([job.seed, job.experiment.epochs]).random(200) < (0.5 if stuck else 0.97)
        answers = np.where(right, LABELS, 1 - LABELS).astype(float)[:, None]
        return Outcome(answers, answers, np.zeros(3), np.zeros(1), 1.0, "pretended")


def bench_with(executor):
    task = Task("binary", 2, LABELS, LABELS, np.array([0.5, 0.5]))
    return Bench(replace(BASE, epochs=1), task, LABELS, LABELS, executor, time.monotonic() + 60)


@pytest.mark.parametrize(
    ("every", "seeds", "outcome"),
    [(1, 3, "confirmed"), (4, SETTLING_SEEDS, "confirmed"), (100, MAX_SEEDS, "inconclusive")],
)
def test_a_change_that_a_few_more_seeds_would_settle_gets_them(every, seeds, outcome):
    bench = bench_with(StuckNowAndThen(every))
    trial = run_trials(bench, [Arm(Mend(0), "rule")], 3)[1][1]
    assert (seeds, outcome) == (len(trial.seeds), trial.outcome)


@pytest.mark.parametrize(("stuck", "seeds", "shown"), [(1, 3, True), (5, MAX_SEEDS, True), (100, MAX_SEEDS, False)])
def test_a_symptom_that_few_starts_show_is_looked_for_with_more(stuck, seeds, shown):
    bench = bench_with(StuckNowAndThen(100, first=stuck))
    problem = bench.reproduce(Recorded(train=0.0, held=0.0), 3, MAX_SEEDS)
    assert shown == (problem == "")
    assert shown or f"on average of {MAX_SEEDS} repetitions" in problem
    assert seeds == len(bench.store["as written"].seeds)
