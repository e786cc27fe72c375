"""A trial: the run as written, each intervention, a placebo; paired seeds; the endpoint is fixed before it runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from unstuck.experiments.bench import HELD, TRAIN, Bench, Scores, key, label
from unstuck.experiments.intervention import Intervention
from unstuck.experiments.interventions.placebo import OtherSeed
from unstuck.experiments.reproduction import AT_CHANCE
from unstuck.experiments.statistics import WORTH, paired_effect
from unstuck.finding import Trial

MAX_SEEDS = 12
SETTLING_SEEDS = 24
"""Where so many would settle what `MAX_SEEDS` left open, and there is time for them."""
FIRST = 0.5
"""Share of the time left that a change may take as long as others are open; what takes longer is tried last."""


HELD_FIXED = ("data", "seed", "epochs", "batch size", "everything else in the script")


@dataclass(frozen=True)
class Arm:
    """One intervention of a trial. `role` as in `finding.Trial`; `rule` is the suspect it was proposed for."""

    intervention: Intervention
    rule: str
    role: str = "intervention"
    endpoint: str = HELD
    sign: int = 1
    against: Intervention | None = None
    """What the arm is compared with, when that is not the run as written (a control under the cure)."""


def judge(bench: Bench, arm: Arm, number: int, *, tried: int) -> Trial:
    """The trial of one arm against its baseline, from what has been run."""
    baseline, value = (
        bench.store.get(key(arm.against), Scores()),
        bench.store.get(key(arm.intervention), Scores()),
    )
    shared = [s for s in value.seeds if s in baseline.seeds]

    def one(scores: Scores) -> list[float]:
        return [scores.of(arm.endpoint)[scores.seeds.index(s)] for s in shared]

    common: dict[str, Any] = {
        "id": f"x{number}",
        "role": arm.role,
        "label": arm.intervention.label,
        "intervention": arm.intervention.describe(),
        "metric": arm.endpoint,
        "seeds": tuple(shared),
        "engine": value.engine,
        "epochs": value.epochs,
        "seconds": round(value.seconds, 3),
        "held_fixed": HELD_FIXED,
    }
    if not shared and not (baseline.error and value.seeds):
        why = _short(value.error or baseline.error) or "the budget ended first"
        return Trial(**common, outcome="not-run", note=why)
    if not shared:  # the run as written cannot be trained at all
        shared = list(value.seeds)
        base, score = [0.0] * len(shared), one(value)
        common["seeds"], common["note"] = tuple(shared), "as written it does not train"
    else:
        base, score = one(baseline), one(value)
    if arm.role == "control":
        found = float(np.mean(score)) > AT_CHANCE
        common["note"] = "finds signal in noise" if found else "as expected: nothing"
        return Trial(**common, value=tuple(score), outcome="baseline", displayed=displayed(value))
    effect = paired_effect(
        base,
        score,
        tried=tried,
        sign=arm.sign,
        resolution=bench.resolution,
        rows_error=_rows_error(baseline, value) if arm.sign < 0 and arm.endpoint == HELD else 0.0,
    )
    return Trial(
        **common,
        baseline=tuple(base),
        value=tuple(score),
        effect=effect.mean,
        interval=(effect.low, effect.high),
        outcome=effect.decision,
        seeds_to_settle=effect.seeds_to_settle,
        weights_moved=all(value.moved) if value.moved else None,
        displayed=displayed(value),
        curves=tuple(value.curves),
    )


def _rows_error(baseline: Scores, value: Scores) -> float:
    """Standard error that a price has because other held-out rows would give another; 0 where they are drawn anew.

    People read a price as what it is for rows to come; whether a cure helps is asked of the rows at hand.
    """
    if not baseline.shares or not value.shares:
        return 0.0
    of_rows = np.mean(value.shares, axis=0, dtype=float) - np.mean(baseline.shares, axis=0, dtype=float)
    error = float(of_rows.std(ddof=1) / np.sqrt(len(of_rows))) if len(of_rows) > 1 else 0.0
    return error if np.isfinite(error) else 0.0


def displayed(scores: Scores) -> dict[str, tuple[float, ...]]:
    shown: dict[str, tuple[float, ...]] = {HELD: tuple(scores.held), TRAIN: tuple(scores.train)}
    if np.isfinite(scores.accuracy).all() and scores.accuracy:
        shown["val_accuracy"] = tuple(scores.accuracy)
    return shown


def _short(error: str) -> str:
    """The kind of an error; the message is in the evidence."""
    return f"raises {error.split(':')[0]}" if ": " in error and " " not in error.split(":")[0] else error


def _placebo(bench: Bench, endpoint: str) -> Arm:
    return Arm(OtherSeed(), rule="", role="placebo", endpoint=endpoint)


def run_trials(bench: Bench, arms: Sequence[Arm], seeds: int) -> list[tuple[Arm, Trial]]:
    """Run all arms with `seeds` paired seeds; add seeds, up to `MAX_SEEDS`, to those that stay undecided.

    Those that `SETTLING_SEEDS` would settle get so many. The first entry is the placebo. Where the bench has a second
    endpoint, rules none of whose cures is confirmed are judged by it too, at twice the number of interventions tried;
    what it confirms is added, with its placebo.
    """
    placebo = _placebo(bench, bench.endpoint)
    everything = [placebo, *arms]
    tried = max(1, len({key(a.intervention) for a in arms if a.role == "intervention"}))
    wanted: list[Intervention | None] = [x for arm in everything for x in (arm.against, arm.intervention)]

    def judge_all() -> list[tuple[Arm, Trial]]:
        return [(arm, judge(bench, arm, i, tried=tried)) for i, arm in enumerate(everything)]

    bench.run([None, *wanted], range(seeds), share=FIRST)
    judged = judge_all()
    total = seeds
    prices = [arm for arm in arms if arm.sign < 0]
    if prices:  # a price is a number that people quote: twice the seeds
        total = min(MAX_SEEDS, 2 * seeds)
        bench.run([None, placebo.intervention, *(x for a in prices for x in (a.against, a.intervention))], range(total))
        judged = judge_all()
    while total < SETTLING_SEEDS and bench.seconds_left > 2:
        last = total >= MAX_SEEDS
        close = [arm for arm, trial in _undecided(judged) if not last or _nearly_settled(arm, trial)]
        if not close:
            break
        total = min(SETTLING_SEEDS if last else MAX_SEEDS, total * 2)
        again: list[Intervention | None] = [None, placebo.intervention]
        again += [x for arm in close for x in (arm.against, arm.intervention)]
        bench.run(again, range(total), share=FIRST)
        judged = judge_all()
    bench.run([None, *wanted], range(seeds))
    judged = judge_all()
    return [*judged, *_by_second(bench, judged, tried=2 * tried)] if bench.second else judged


def _by_second(bench: Bench, judged: Sequence[tuple[Arm, Trial]], *, tried: int) -> list[tuple[Arm, Trial]]:
    """The second endpoint's answer for rules that the first confirms no cure of; nothing is trained again.

    Not asked where a cure may raise the first after all, and more seeds would tell.
    """
    settled = _settled(judged)
    if any(a.role == "intervention" and t.outcome == "inconclusive" and (t.effect or 0) >= WORTH for a, t in judged):
        return []
    cures = [a for a, _ in judged if a.role == "intervention" and a.sign > 0 and a.rule not in settled]
    arms = [_placebo(bench, bench.second), *(replace(arm, endpoint=bench.second) for arm in cures)]
    found = [(arm, judge(bench, arm, len(judged) + i, tried=tried)) for i, arm in enumerate(arms)]
    upheld = _settled(found)
    return [(arm, trial) for arm, trial in found if upheld and (arm.role == "placebo" or arm.rule in upheld)]


def _settled(judged: Sequence[tuple[Arm, Trial]]) -> set[str]:
    """Rules with a confirmed cure."""
    return {arm.rule for arm, trial in judged if trial.outcome == "confirmed" and arm.role == "intervention"}


def _undecided(judged: Sequence[tuple[Arm, Trial]]) -> list[tuple[Arm, Trial]]:
    """Cures that stay open, of rules that have no confirmed cure yet; those that promise most come first."""
    settled = _settled(judged)
    close = [
        (arm, trial)
        for arm, trial in judged
        if trial.outcome == "inconclusive" and arm.role == "intervention" and arm.rule not in settled
    ]
    return sorted(close, key=lambda entry: -entry[0].sign * (entry[1].effect or 0.0))


def _nearly_settled(arm: Arm, trial: Trial) -> bool:
    """Whether a change seems to help and `SETTLING_SEEDS` would be enough to know."""
    helps = arm.sign * (trial.effect or 0.0) >= WORTH
    return helps and trial.seeds_to_settle is not None and trial.seeds_to_settle <= SETTLING_SEEDS


def baseline_trial(bench: Bench, written: Intervention | None = None, number: str = "") -> Trial:
    """The run as written, as a row of its own; `written` where it is written anew for each seed (another split)."""
    scores: Scores = bench.store.get(key(written), Scores())
    values: dict[str, Any] = {
        "seeds": tuple(scores.seeds),
        "baseline": tuple(scores.held),
        "value": tuple(scores.held),
    }
    return Trial(
        id=f"x-baseline{number}",
        role="baseline",
        label=label(written),
        metric=bench.endpoint,
        engine=scores.engine,
        epochs=scores.epochs,
        weights_moved=any(scores.moved) if scores.moved else None,
        displayed=displayed(scores),
        curves=tuple(scores.curves),
        note="" if scores.seeds else _short(scores.error),
        seconds=round(scores.seconds, 3),
        **values,
    )
