"""Several causes at once: the smallest set of changes that is enough, and which of them alone are not.

Singles are judged first. Where none of them helps, pairs are tried, also a change and its rival, since two causes can
hide each other. Where the best is not enough, the change that adds most on top is taken in, one after another, and at
the end each member is left out once: it stays only if the set is worse without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from unstuck.experiments.bench import HELD, Bench
from unstuck.experiments.intervention import Intervention, Together
from unstuck.experiments.statistics import WORTH
from unstuck.experiments.trial import MAX_SEEDS, Arm, judge
from unstuck.finding import Trial

MOST_ADDED = 3
"""Changes that are tried on top of the set, in each round."""
MOST_PAIRED = 5
"""Changes that are tried in pairs where none helps alone."""
MOST_TOGETHER = 4
"""Changes in a set at most: real programs have two to five faults at once."""

Judged = tuple[Arm, Trial]


@dataclass(frozen=True)
class Combination:
    """What was found about changes together.

    Attributes:
        judged: trials of several changes at once. Each is judged twice: for the leading rule against the run as
            written, and for the rule whose change was added against the set without it, so that a cause that shows
            only once another one is gone is upheld by its own effect.
        lead: the rule whose change came first; "" when nothing was combined.
        rules: rules of the smallest set of changes found that is enough, in the order they were taken in.
        enough: whether that set reaches what is known to be learnable.
    """

    judged: tuple[Judged, ...] = ()
    lead: str = ""
    rules: tuple[str, ...] = ()
    enough: bool = False


def combine(bench: Bench, judged: Sequence[Judged], *, first: Sequence[str], wanted: float, seeds: int) -> Combination:
    """Find the smallest set of the changes tried alone that is enough.

    Args:
        judged: the single changes. first: rules whose change leads whatever it reached: proven causes, which hide
            every other one until they are gone. wanted: held-out skill that counts as enough.
    """
    ranked = best_a_rule(judged, first)
    if not ranked:
        return Combination()
    lead, reached = ranked[0][0], mean_skill(ranked[0][1])
    members, trials = [lead], list[Judged]()
    rivals = [arm for arm, trial in judged if arm.role == "rival" and trial.value]
    alone = any(trial.outcome == "confirmed" for _, trial in ranked) or lead.rule in first
    if not alone and reached < wanted and bench.seconds_left > 2:
        trials += _pairs(bench, ranked[:MOST_PAIRED], rivals, seeds, number=len(judged))
        pair = max((p for p in trials if p[1].outcome == "confirmed"), key=lambda p: mean_skill(p[1]), default=None)
        if pair is not None:
            members, reached = _members(pair[0], [*(arm for arm, _ in ranked), *rivals]), mean_skill(pair[1])
    while reached < wanted and len(members) < MOST_TOGETHER and bench.seconds_left > 2:
        round_trials = _added(bench, members, ranked, wanted, seeds, number=len(judged) + len(trials))
        trials += round_trials
        gains = [pair for pair in round_trials if pair[0].against is not None and pair[1].outcome == "confirmed"]
        if not gains:
            break
        arm, trial = max(gains, key=lambda pair: mean_skill(pair[1]))
        members.append(next(a for a, _ in ranked if a.rule == arm.rule))
        reached = mean_skill(trial)
    if len(members) > 2:
        members = _needed(bench, members, seeds)
    rules = tuple(dict.fromkeys(arm.rule for arm in members))
    return Combination(tuple(trials), rules[0] if trials else "", rules, reached >= wanted)


def mean_skill(trial: Trial) -> float:
    return float(np.mean(trial.displayed.get(HELD) or trial.value))


def best_a_rule(judged: Sequence[Judged], first: Sequence[str]) -> list[Judged]:
    """The change of each rule that reached most, leading ones first; only changes that should raise the score."""
    best: dict[str, Judged] = {}
    for arm, trial in judged:
        if arm.role != "intervention" or arm.sign < 0 or arm.against is not None or not trial.value:
            continue
        if arm.rule not in best or mean_skill(trial) > mean_skill(best[arm.rule][1]):
            best[arm.rule] = (arm, trial)
    return sorted(best.values(), key=lambda pair: (pair[0].rule not in first, -mean_skill(pair[1])))


def _added(
    bench: Bench, members: Sequence[Arm], ranked: Sequence[Judged], wanted: float, seeds: int, *, number: int
) -> list[Judged]:
    """One round: each further change on top of the set, judged with more seeds while it stays open."""
    inside = {arm.rule for arm in members}
    changes = [arm.intervention for arm in members]
    taken = Together(tuple(changes)).turns
    free = [arm for arm, _ in ranked if arm.rule not in inside and arm.intervention.turns.isdisjoint(taken)]
    others = free[:MOST_ADDED]
    if not others:
        return []
    base, arms = _together(changes), []
    for other in others:
        both = _together([*changes, other.intervention])
        arms += [Arm(both, members[0].rule), Arm(both, other.rule, against=base)]
    found: list[Judged] = []
    for total in (seeds, min(MAX_SEEDS, 3 * seeds)):
        bench.run([None, base, *(arm.intervention for arm in arms)], range(total))
        found = [(arm, judge(bench, arm, number + i, tried=len(others))) for i, arm in enumerate(arms)]
        if all(trial.outcome != "inconclusive" for arm, trial in found if arm.against is not None):
            break
    return found


def _pairs(bench: Bench, ranked: Sequence[Judged], rivals: Sequence[Arm], seeds: int, *, number: int) -> list[Judged]:
    """Every two changes together, judged for both of their rules against the run as written, and each with its rivals.

    A rate that suits inputs up to 255 is none for inputs up to 1: neither change may help without the other.
    """
    arms = []
    for i, (one, _) in enumerate(ranked):
        for other, _ in ranked[i + 1 :]:
            if one.intervention.turns.isdisjoint(other.intervention.turns):
                both = _together([one.intervention, other.intervention])
                arms += [Arm(both, one.rule), Arm(both, other.rule)]
        for rival in rivals:
            if rival.rule == one.rule and one.intervention.turns.isdisjoint(rival.intervention.turns):
                arms.append(Arm(_together([one.intervention, rival.intervention]), one.rule))
    found: list[Judged] = []
    for total in (seeds, min(MAX_SEEDS, 2 * seeds)):
        bench.run([None, *(arm.intervention for arm in arms)], range(total))
        found = [(arm, judge(bench, arm, number + i, tried=max(1, len(arms) // 2))) for i, arm in enumerate(arms)]
        if any(trial.outcome == "confirmed" for _, trial in found):
            break
    kept = max((mean_skill(trial) for _, trial in found if trial.outcome == "confirmed"), default=np.inf)
    return [pair for pair in found if pair[1].outcome == "confirmed" and mean_skill(pair[1]) >= kept]


def _members(pair: Arm, singles: Sequence[Arm]) -> list[Arm]:
    """The two single arms of a pair."""
    assert isinstance(pair.intervention, Together)
    return [next(arm for arm in singles if arm.intervention == part) for part in pair.intervention.parts]


def _needed(bench: Bench, members: Sequence[Arm], seeds: int) -> list[Arm]:
    """The members without which the set is worse."""
    whole = _together([arm.intervention for arm in members])
    kept = list(members)
    for arm in members[:-1]:  # the last one was taken in because it adds to all the others
        rest = [a.intervention for a in kept if a is not arm]
        bench.run([whole, _together(rest)], range(seeds))
        trial = judge(bench, replace(arm, intervention=whole, against=_together(rest)), 0, tried=1)
        if trial.effect is not None and trial.effect < WORTH:
            kept.remove(arm)
            whole = _together(rest)
    return kept


def _together(changes: Sequence[Intervention]) -> Intervention:
    return changes[0] if len(changes) == 1 else Together(tuple(changes))
