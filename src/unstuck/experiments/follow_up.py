"""What a proven fault hides: where its cure alone is not enough, the usual next steps are tried on top of it.

A program with softmax on one unit shows nothing of its learning rate: no gradient ever came through. So no rule can
suspect the rate, and the cure alone leaves the person stuck again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from unstuck.experiments.bench import Bench
from unstuck.experiments.combination import best_a_rule, mean_skill
from unstuck.experiments.intervention import Intervention, Together
from unstuck.experiments.interventions.activations import ReplaceActivations
from unstuck.experiments.interventions.epochs import ScaleEpochs
from unstuck.experiments.interventions.learning_rate import ScaleLearningRate
from unstuck.experiments.interventions.optimiser import UseAdam
from unstuck.experiments.interventions.standardise import StandardiseInputs
from unstuck.experiments.statistics import WORTH
from unstuck.experiments.trial import Arm, judge
from unstuck.finding import Trial

NEXT: tuple[Intervention, ...] = (
    StandardiseInputs(),
    ScaleLearningRate(10.0),
    ScaleLearningRate(100.0),
    ScaleEpochs(10.0),
    UseAdam(),
    ReplaceActivations(),
)
"""What is tried on top, the milder first: what a person would turn next."""
MOST_ADDED = 2
"""Steps on top of the cure at most."""


def follow_up(
    bench: Bench,
    singles: Sequence[tuple[Arm, Trial]],
    combined: Sequence[tuple[Arm, Trial]],
    proven: Sequence[str],
    *,
    wanted: float,
    seeds: int,
) -> list[tuple[Arm, Trial]]:
    """The trial of the leading proven cure with the steps that make the network learn beside it; [] where none does.

    Args:
        singles, combined: what was tried so far. proven: rules whose cause is a fact. wanted: held-out skill that is
            enough, inf where it is not known; what is confirmed to reach half of it needs nothing beside it.
    """
    ranked = best_a_rule(singles, proven)
    if not ranked or ranked[0][0].rule not in proven:
        return []
    cure, reached = ranked[0][0], mean_skill(ranked[0][1])
    own = [trial for arm, trial in (*singles, *combined) if arm.rule == cure.rule and arm.endpoint == cure.endpoint]
    confirmed = [mean_skill(trial) for trial in own if trial.outcome == "confirmed"]
    if reached >= wanted or any(not np.isfinite(wanted) or skill > wanted / 2 for skill in confirmed):
        return []
    added: tuple[Intervention, ...] = ()
    for _ in range(MOST_ADDED):
        ran = _tried(bench, cure, added, seeds, number=len(singles) + len(combined))
        if not ran:
            return []
        step, _, best = max(ran, key=lambda one: mean_skill(one[2]))
        enough = [(a, t) for _, a, t in ran if t.outcome == "confirmed" and mean_skill(t) >= mean_skill(best) - WORTH]
        if enough or mean_skill(best) <= reached + WORTH:
            return enough[:1]
        added, reached = (*added, step), mean_skill(best)
    return []


def _tried(
    bench: Bench, cure: Arm, added: tuple[Intervention, ...], seeds: int, *, number: int
) -> list[tuple[Intervention, Arm, Trial]]:
    """Each further step on top of the cure and what was added already, as far as it can be trained."""
    if bench.seconds_left <= 2:
        return []
    taken = Together((cure.intervention, *added)).turns
    steps = [step for step in NEXT if step.turns.isdisjoint(taken)]
    arms = [replace(cure, intervention=Together((cure.intervention, *added, step))) for step in steps]
    bench.run([None, *(arm.intervention for arm in arms)], range(seeds))
    found = [(step, arm, judge(bench, arm, number, tried=len(NEXT))) for step, arm in zip(steps, arms, strict=True)]
    return [one for one in found if one[2].value]
