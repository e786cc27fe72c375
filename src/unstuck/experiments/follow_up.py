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
from unstuck.experiments.interventions.standardise import StandardiseInputs, StandardiseTargets
from unstuck.experiments.interventions.widen import Widen
from unstuck.experiments.statistics import WORTH
from unstuck.experiments.trial import FIRST, MAX_SEEDS, Arm, judge
from unstuck.finding import Trial

Steps = tuple[Intervention, ...]

NEXT: Steps = (
    StandardiseInputs(),
    ScaleLearningRate(10.0),
    ScaleLearningRate(100.0),
    ScaleEpochs(10.0),
    UseAdam(),
    ReplaceActivations(),
)
"""What is tried on top, the milder first: what a person would turn next."""
ANEW: tuple[Steps, ...] = tuple(
    (StandardiseInputs(), StandardiseTargets(), ReplaceActivations(), UseAdam(rate), *more)
    for more in ((), (ScaleEpochs(10.0),), (ScaleEpochs(10.0), Widen()))
    for rate in (0.001, 0.01)
)
"""What a person would change who starts over; tried where no single step is enough, the milder first."""


def follow_up(
    bench: Bench,
    singles: Sequence[tuple[Arm, Trial]],
    combined: Sequence[tuple[Arm, Trial]],
    proven: Sequence[str],
    *,
    wanted: float,
    seeds: int,
) -> list[tuple[Arm, Trial]]:
    """The trial of the leading proven cure with the steps that make the network learn beside it; [] where none do.

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
    tried = _OnTop(bench, cure, number=len(singles) + len(combined))
    found = tried.enough([(step,) for step in NEXT], seeds)
    if found is None or (np.isfinite(wanted) and tried.skill(found) <= wanted / 2):
        more = min(MAX_SEEDS, 2 * seeds)
        whole = tried.enough(ANEW, more)
        if whole is not None and (found is None or tried.skill(whole) > tried.skill(found) + WORTH):
            found = tried.needed(whole, more)
    return [tried.judged[found]] if found else []


class _OnTop:
    """Sets of further steps on top of a cure, and their trials."""

    def __init__(self, bench: Bench, cure: Arm, *, number: int) -> None:
        self.bench, self.cure, self.number = bench, cure, number
        self.judged: dict[Steps, tuple[Arm, Trial]] = {}

    def skill(self, steps: Steps) -> float:
        return mean_skill(self.judged[steps][1])

    def enough(self, sets: Sequence[Steps], seeds: int) -> Steps | None:
        """The first of the sets that is confirmed and reaches what the best does."""
        ran = self._run(sets, seeds)
        best = max(map(self.skill, ran), default=np.inf)
        near = [steps for steps in ran if self.skill(steps) >= best - WORTH]
        return next((steps for steps in near if self._confirmed(steps)), None)

    def needed(self, steps: Steps, seeds: int) -> Steps:
        """The set without the steps that add nothing to it, the one that adds least left out first."""
        while len(steps) > 1:
            fewer = self._run([tuple(step for step in steps if step is not out) for out in steps], seeds)
            best = max(fewer, key=self.skill, default=steps)
            if best == steps or not self._confirmed(best) or self.skill(best) < self.skill(steps) - WORTH:
                break
            steps = best
        return steps

    def _confirmed(self, steps: Steps) -> bool:
        return self.judged[steps][1].outcome == "confirmed"

    def _run(self, sets: Sequence[Steps], seeds: int) -> list[Steps]:
        """The sets, less the steps that change nothing here, as far as they can be trained in the time that is left."""
        if self.bench.seconds_left <= 2:
            return []
        arms: dict[Steps, Arm] = {}
        for steps in sets:
            left = tuple(step for step in steps if self._changes(step))
            if left:
                arms[left] = replace(self.cure, intervention=Together((self.cure.intervention, *left)))
        self.bench.run([None, *(arm.intervention for arm in arms.values())], range(seeds), share=FIRST)
        tried = len(self.judged.keys() | arms.keys())
        for steps, arm in arms.items():
            self.judged[steps] = arm, judge(self.bench, arm, self.number, tried=tried)
        return [steps for steps in arms if self.judged[steps][1].value]

    def _changes(self, step: Intervention) -> bool:
        """Whether a step suits the task and changes the experiment, and the cure does not turn the same."""
        if not step.turns.isdisjoint(self.cure.intervention.turns):
            return False
        if isinstance(step, StandardiseTargets) and self.bench.task.kind != "regression":
            return False
        base = self.bench.base
        return not isinstance(step, ReplaceActivations) or step.apply(base).model != base.model
