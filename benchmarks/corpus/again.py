"""Is what was confirmed confirmed again? Each cure is tried once more, from initial weights that no trial has seen.

With as many seeds as confirmed it: fewer could not tell, and where fits are slow more would not be done in time.

Labels of a program name a cause or two; what a trial confirms beside them is right if it stands a second trial.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.corpus.trying import tried
from unstuck.diagnosis import Workers
from unstuck.diagnosis.judge import judge
from unstuck.experiments.experiment import Experiment
from unstuck.experiments.follow_up import ANEW, NEXT
from unstuck.experiments.intervention import Intervention, Together
from unstuck.experiments.interventions.placebo import OtherSeed
from unstuck.finding import Report
from unstuck.measure.case import Case
from unstuck.record.recorded import read_run
from unstuck.rules import catalogue
from unstuck.rules.rule import Suspect

NEW = 50_000
JOINED = " + "
"""What stands between the labels of changes that are made together."""


@dataclass(frozen=True)
class OnNewSeeds(Intervention):
    """The same change, or none, with other initial weights, batch order and, where it is drawn, another split."""

    cure: Intervention | None = None

    @property
    def label(self) -> str:
        return f"{self.cure.label if self.cure else 'as written'}, new seeds"

    @property
    def baseline(self) -> Intervention | None:
        return OnNewSeeds(self.cure.baseline if self.cure else None)

    def for_seed(self, experiment: Experiment, held_y: np.ndarray, seed: int) -> tuple[Experiment, np.ndarray]:
        if self.cure is not None:
            experiment, held_y = self.cure.for_seed(experiment, held_y, seed + NEW)
        return OtherSeed(NEW).apply(experiment), held_y


def stand_again(report: Report, folder: Path, workers: Workers, *, budget: float) -> dict[str, bool]:
    """Rule -> whether its cure, one change or several together, is confirmed again; of causes of the first fit."""
    confirmed = [
        finding
        for finding in report.findings
        if finding.confidence == "confirmed" and not finding.explained_by and not finding.fit and finding.cure
    ]
    if not confirmed:
        return {}
    run, rules = read_run(folder), {rule.name: rule for rule in catalogue()}
    case = Case(run, run.fits[0])
    first = {trial.id: trial for trial in report.experiments}
    suspects = {name: judge(rule, case).suspect for name, rule in rules.items()}
    known = {c.label: c for suspect in suspects.values() if suspect for c in (*suspect.cures, *suspect.rivals)}
    known = {step.label: step for steps in (NEXT, *ANEW) for step in steps} | known
    found = {}
    for finding in confirmed:
        suspect, label = suspects[finding.rule], first[finding.cure].label
        cure = next((c for c in suspect.cures if c.label == label), None) if suspect else None
        parts = [known.get(part) for part in label.split(JOINED)]
        if cure is None and None not in parts:
            cure = Together(tuple(part for part in parts if part))
        if suspect is None or cure is None:
            continue
        anew = Suspect(message="", cures=(OnNewSeeds(cure),), harm=suspect.harm, endpoint=suspect.endpoint)
        trials = tried(case, anew, workers, seconds=budget, seeds=len(first[finding.cure].seeds))
        if trials:
            found[finding.rule] = any(trial.outcome == "confirmed" for trial in trials)
    return found
