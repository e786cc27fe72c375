"""The verdict on one fit: the one sentence a person takes away, and what is worth knowing whatever the findings."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from unstuck.finding import Finding, Fit, Trial, Verdict
from unstuck.measure.case import Case, Missing
from unstuck.measure.code.source import Sources
from unstuck.measure.data import Data
from unstuck.measure.persistence import Persistence
from unstuck.measure.room import MARGIN, Room
from unstuck.measure.setup import Setup
from unstuck.measure.skill import Skill
from unstuck.measure.task import Task
from unstuck.measure.training.curve import STILL_FALLING, Curve
from unstuck.measure.training.ending import Ending
from unstuck.measure.training.history import History

AT_CHANCE = 0.1
SOLVED = 0.95
"""Held-out skill from which a task counts as solved; what is left is a few rows."""
FLAT = 0.05
"""Relative fall an epoch under which a loss counts as settled once the skill is as good as it gets."""
NOISY = 0.8
"""Skill below which a run that reached the references is at the noise floor rather than simply healthy."""
SLOWLY = 0.002
"""Relative fall an epoch from which a loss is not finished where it is not known what can be learnt."""
NEAR_ZERO = 0.05
NO_BETTER = 0.02
"""Skill over that of the naive forecast which is hardly worth a network."""
OVERCONFIDENT = 0.5
"""Rise of the validation loss over its lowest value that is told even where the answers are as good as any."""
LEAKS = ("LEK",)
LONGER = "too-few-updates"
"""What more epochs bring is measured with the other faults in place; what is wrong with the code stands before it."""
SCORES = ("EVA",)
"""What is wrong with how the score was made; where no more is known, that is what to say of it."""
CONTENT = ("finished", "healthy", "noise-floor")
"""Verdicts after which nobody looks further."""
READINGS = ("OUT109", "OUT2", *SCORES)
"""Warnings about how a score is read; training itself is none the worse for them."""


def judge_fit(
    case: Case,
    findings: Sequence[Finding],
    trials: Sequence[Trial] = (),
    outputs: Mapping[str, Case] | None = None,
) -> Fit:
    """Verdict, sentence and facts of one fit, from its findings, the trials behind them and its measured skill.

    Args:
        outputs: of a model with several outputs the fit as each one alone has it, by its name.
    """
    skill, curve, room, task = case.find(Skill), case.find(Curve), case.find(Room), case.find(Task)
    setup, body, history = case.find(Setup), case.fit.body, case.get(History)
    helps = {trial.id for trial in trials if trial.outcome == "confirmed"}
    verdict, sentence = _verdict(case, findings, skill, curve, room, helps)
    behind = _behind(outputs or {})
    if behind and verdict in CONTENT:
        verdict, sentence = "unknown", f"No cause was found: {behind[0]}."
    return Fit(
        index=case.fit.index,
        verdict=verdict,
        sentence=sentence,
        location=case.get(Sources).location(body.get("site")),
        epochs=len(case.fit.epochs),
        steps=len(case.fit.losses),
        seconds=round(float(case.fit.end.get("seconds") or 0.0), 3),
        rows=int(body["train"].get("rows") or 0),
        task=task.kind if task else "",
        loss=setup.loss.name if setup else "",
        reported_loss=_known(skill.reported_loss) if skill else None,
        train_skill=_known(skill.train) if skill else None,
        held_out_skill=_known(skill.held) if skill else None,
        learnable_skill=_known(room.learnable) if room else None,
        facts=(
            *_facts(case, verdict, skill, None if outputs else curve, task),
            *(f for f in behind if f not in sentence),
        ),
        constant_loss=_known(skill.constant_loss) if skill else None,
        series=history.series,
        layers=history.layers,
        marks=history.marks,
    )


def _verdict(
    case: Case,
    findings: Sequence[Finding],
    skill: Skill | None,
    curve: Curve | None,
    room: Room | None,
    helps: Collection[str | None] = (),
) -> tuple[Verdict, str]:
    shown = [f for f in findings if f.confidence != "possible"]
    named = {f.rule for f in shown}
    roots = [f for f in shown if f.explained_by not in named]
    errors = [f for f in roots if f.severity == "error"]
    leaks = [f for f in errors if f.code.startswith(LEAKS)]
    faults = [f for f in errors if not f.code.startswith(LEAKS)]
    proven = [f for f in faults if f.confidence == "proven"]
    silent = next((f for f in roots if f.rule == "no-signal"), None)
    reached = skill.best if skill else float("nan")
    if proven:
        return _stuck(proven[0], reached)
    ending = case.get(Ending)
    if not ending.steps and ending.cut:
        return "unknown", f"Not judged: the fit {ending.words}."
    if leaks:
        return "misleading", f"The score is not what it claims: {leaks[0].message}."
    if silent is not None:
        where = "" if "output" in silent.scope else " here"
        return "no-signal", f"There is nothing to learn{where}: {silent.message}."
    if faults:
        return _stuck(faults[0], reached)
    impaired = [f for f in roots if f.severity == "warning" and not f.code.startswith(READINGS + LEAKS)]
    tried = any(f.confidence == "confirmed" or f.cure in helps for f in impaired)
    upheld = [f for f in roots if f.confidence in ("proven", "confirmed") and f.severity == "warning"]
    doubts = [f for f in upheld if f.code.startswith(LEAKS)]
    priced = [f for f in doubts if f.confidence == "confirmed"]
    longer = bool(impaired) and impaired[0].rule == LONGER and reached > AT_CHANCE
    hurt = bool(impaired) and not longer and (tried or (room is not None and room.exists))
    suspected = [f for f in roots if f.severity == "warning" and f.code.startswith(LEAKS)]
    told = priced or ([] if hurt else doubts) or (suspected if reached > AT_CHANCE and not tried else [])
    if told:
        return "misleading", f"The score may not be what it claims: {told[0].message}."
    if longer:
        return "unfinished", f"Not stuck, unfinished: {impaired[0].message}."
    if hurt:
        return "impaired", f"Training is impaired: {impaired[0].message}."
    verdict, sentence = _without_fault(case, findings, skill, curve, room)
    read = next((f for f in roots if f.severity == "warning" and f.code.startswith(SCORES)), None)
    if verdict == "unknown" and read is not None and np.isfinite(reached):
        return "misleading", f"The score may not be what it claims: {read.message}."
    return verdict, sentence


def _stuck(root: Finding, reached: float) -> tuple[Verdict, str]:
    if np.isfinite(reached) and reached > AT_CHANCE and root.confidence != "proven":
        return "impaired", f"The model learns less than it could: {root.message}."
    if np.isfinite(reached) and reached > 0.5:
        return "impaired", f"The model learns, but {root.message}."
    return "stuck", f"The model does not learn: {root.message}."


def _behind(outputs: Mapping[str, Case]) -> list[str]:
    """Which outputs are at chance where reference learners are not."""
    found = []
    for name, case in outputs.items():
        room = case.find(Room)
        if room is not None and room.exists and room.reached <= AT_CHANCE < room.learnable - MARGIN:
            found.append(
                f"output {name} has a skill of {room.reached:.2f} where reference learners reach {room.learnable:.2f}"
            )
    return found


def _without_fault(
    case: Case, findings: Sequence[Finding], skill: Skill | None, curve: Curve | None, room: Room | None
) -> tuple[Verdict, str]:
    if skill is None or not np.isfinite(skill.best):
        raised = case.fit.end.get("error")
        why = (
            raised
            or _missing(case, Data)
            or case.fit.probe.get("error")
            or _missing(case, Skill)
            or "too little was recorded"
        )
        return "unknown", f"Not judged: {str(why).splitlines()[0]}."
    ending, reached, learnable = case.get(Ending), skill.best, room.learnable if room else float("nan")
    on = "held-out" if np.isfinite(skill.held) else "training"
    falling = curve.falls if curve else 0.0
    if not np.isfinite(skill.reported_loss) and curve is not None and curve.non_finite_step is not None:
        return "unknown", f"The loss is not a number from step {curve.non_finite_step}, and no cause was found."
    if reached >= SOLVED:
        return "finished", f"Finished: {on} skill is {reached:.2f} of 1; there is nothing left to gain."
    near = np.isfinite(learnable) and reached >= learnable - MARGIN
    doubt = next((f for f in findings if f.severity == "warning" and f.explained_by is None), None)
    content = room is not None and not room.exists
    if reached <= AT_CHANCE and np.isfinite(learnable) and (near or content):
        beside = f"{on} skill is {reached:.2f}, and the reference learners do not do better ({learnable:.2f})"
        if doubt is not None:
            return "unknown", f"Suspected, not proven: {doubt.message}. {beside.capitalize()}."
        return "unknown", f"At chance: {beside}."
    if ending.cut and not near:
        return "unfinished", f"Not stuck as far as it came: the fit {ending.words}, with {on} skill {reached:.2f} of 1."
    if falling > (STILL_FALLING if np.isfinite(learnable) else SLOWLY) and not near:
        return (
            "unfinished",
            f"Not stuck, unfinished: the loss still fell {100 * falling:.1f} % an epoch at the end.",
        )
    if near and reached < NOISY and falling < FLAT:
        return "noise-floor", (
            f"At the noise floor: {on} skill {reached:.2f}, and reference learners reach {learnable:.2f} "
            "on the same rows."
        )
    if near or (content and reached > AT_CHANCE):
        beside = f"; reference learners reach {learnable:.2f}" if np.isfinite(learnable) else ""
        return "healthy", f"Healthy: {on} skill {reached:.2f} of 1{beside}."
    beside = (
        f"where reference learners reach {learnable:.2f}" if np.isfinite(learnable) else "and no reference is at hand"
    )
    if doubt is not None:
        return "unknown", f"Suspected, not proven: {doubt.message}. {on.capitalize()} skill is {reached:.2f} {beside}."
    return "unknown", f"No cause was found: {on} skill is {reached:.2f} {beside}."


def _missing(case: Case, kind: type[Data] | type[Skill]) -> str:
    """What this quantity lacks, in words; "" when it is there."""
    try:
        case.get(kind)
    except Missing as missing:
        return f"it needs {missing.evidence} ({missing.supply})" if missing.supply else f"it needs {missing.evidence}"
    return ""


def _facts(case: Case, verdict: Verdict, skill: Skill | None, curve: Curve | None, task: Task | None) -> list[str]:
    facts: list[str] = []
    if curve is not None and skill is not None and np.isfinite(skill.constant_loss) and np.isfinite(curve.lowest):
        facts.append(
            f"the training loss went from {curve.first:.4g} to {curve.last:.4g}; always giving the best constant "
            f"answer costs {skill.constant_loss:.4g}"
        )
        if (
            verdict in ("no-signal", "noise-floor", "unknown")
            and curve.lowest > NEAR_ZERO * skill.constant_loss
            and curve.lowest > 1e-3
        ):
            facts.append(f"the loss never was near zero: the lowest was {curve.lowest:.4g}")
    if skill is not None and np.isfinite(skill.reported_loss) and np.isfinite(skill.evaluated_loss):
        shown, true = skill.reported_loss, skill.evaluated_loss
        if abs(true - shown) > 0.5 * max(abs(true), abs(shown)) and max(abs(true), abs(shown)) > 1e-3:
            facts.append(
                f"Keras reported a training loss of {shown:.4g}; evaluate() on the training rows gives {true:.4g}"
            )
    if curve is not None and len(curve.held) and np.isfinite(curve.held).all():
        best = int(np.argmin(curve.held))
        if curve.held[best] > 0 and curve.held[-1] > (1 + OVERCONFIDENT) * curve.held[best]:
            facts.append(
                f"the validation loss was lowest ({curve.held[best]:.4g}) after epoch {best + 1} and ended at "
                f"{curve.held[-1]:.4g}"
            )
    naive = case.find(Persistence)
    if naive is not None and skill is not None and AT_CHANCE < naive.skill and skill.best <= naive.skill + NO_BETTER:
        facts.append(
            f"repeating the last value of each window has the held-out skill {naive.skill:.2f}, the network "
            f"{skill.best:.2f}"
        )
    data = case.find(Data)
    if data is not None and data.too_few:
        facts.append("too few rows to hold any out; trials are scored on the rows they train on")
    elif data is not None and data.held_kind == "holdout":
        facts.append("nothing was held out; trials train on three quarters of the rows and are scored on the rest")
    if data is not None and data.held_kind == "split":
        facts.append("held-out rows are the other part of the recorded train_test_split")
    if task is not None and task.is_classes and skill is not None and np.isfinite(skill.held_accuracy):
        facts.append(
            f"held-out accuracy {skill.held_accuracy:.3f}; the most frequent class has a share of {task.majority:.3f}"
        )
    return facts


def _known(value: float) -> float | None:
    return round(float(value), 6) if np.isfinite(value) else None
