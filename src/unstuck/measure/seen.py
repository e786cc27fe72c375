"""Evidence that several rules show, each a sentence made from measured numbers, or None when it was not seen."""

from __future__ import annotations

import numpy as np

from unstuck.finding import Evidence
from unstuck.measure.contract import Contract
from unstuck.measure.network.reach import Reach
from unstuck.measure.replay import Replay
from unstuck.measure.skill import Skill
from unstuck.measure.task import Task
from unstuck.measure.training.curve import Curve

SAME_SHARE = 0.005
"""An accuracy this close to the share of a class is read as that share: half a percent, the digits Keras prints."""

SAME_LOSS = 1e-5
"""Relative spread of one loss computed in another order: float32 sums over batches agree to about six digits."""


def gathered(*found: Evidence | None) -> tuple[Evidence, ...]:
    """The pieces of evidence that were seen."""
    return tuple(evidence for evidence in found if evidence is not None)


def fit_raised(contract: Contract | None) -> Evidence | None:
    """The first line of the error that fit ended with."""
    if contract is None or not contract.error:
        return None
    return Evidence(measure="fit-raised", text=f"fit raised {contract.error.splitlines()[0][:100]}")


def first_non_finite(curve: Curve | None) -> Evidence | None:
    """The step from which on the loss is not a number."""
    if curve is None or curve.non_finite_step is None:
        return None
    step = curve.non_finite_step
    return Evidence(measure="first-step-not-finite", text=f"the loss is not a number from step {step} on", value=step)


def standstill(replay: Replay | None) -> Evidence | None:
    """No weight changed over the whole run, and whether the gradient is exactly 0."""
    if replay is None or not replay.stationary:
        return None
    steps = replay.last.step - replay.first.step
    gradients = [v.gradient for moment in replay.moments for v in moment.variables]
    zero = bool(gradients) and all(g == 0 for g in gradients)
    text = f"no weight changed in {steps} steps" + ("; the gradient is exactly 0" if zero else "")
    return Evidence(measure="steps-without-weight-change", text=text, value=steps, of=steps)


def same_answer(replay: Replay | None) -> Evidence | None:
    """Every recorded row gets the same output."""
    if replay is None:
        return None
    held = len(replay.held_outputs) > 0
    outputs = replay.held_outputs if held else replay.train_outputs
    if not len(outputs) or not np.isfinite(outputs).all() or np.ptp(outputs, axis=0).max() > 0:
        return None
    values = np.unique(outputs[0])
    said = f"exactly {values[0]:.6g}" if len(values) == 1 else "the same"
    kind = "held-out" if held else "training"
    return Evidence(
        measure="constant-output",
        text=f"all {len(outputs)} {kind} outputs are {said}",
        value=float(values[0]),
        of=len(outputs),
    )


def accuracy_is_a_share(skill: Skill | None, task: Task | None) -> Evidence | None:
    """The training accuracy equals the share of one class in the labels."""
    if skill is None or task is None or not task.is_classes or not np.isfinite(skill.accuracy):
        return None
    nearest = int(np.abs(task.base - skill.accuracy).argmin())
    share = float(task.base[nearest])
    if abs(share - skill.accuracy) > SAME_SHARE:
        return None
    text = f"accuracy {skill.accuracy:.3f} is the share of class {nearest} in the labels"
    return Evidence(measure="accuracy-equals-class-share", text=text, value=skill.accuracy, expected=share)


def loss_at_chance(skill: Skill | None) -> Evidence | None:
    """The loss of the final weights beside the loss of the best constant answer."""
    if skill is None or not np.isfinite([skill.evaluated_loss, skill.constant_loss]).all():
        return None
    text = f"the final loss is {skill.evaluated_loss:.4g}; the best constant answer has {skill.constant_loss:.4g}"
    return Evidence(measure="loss-beside-constant", text=text, value=skill.evaluated_loss, expected=skill.constant_loss)


def steady_loss(losses: np.ndarray) -> Evidence | None:
    """The training loss of every epoch is the same to five digits."""
    if len(losses) < 2 or not np.isfinite(losses).all():
        return None
    low, high = float(losses.min()), float(losses.max())
    if high - low > SAME_LOSS * max(abs(high), 1e-30):
        return None
    text = f"the loss is {high:.6g} in each of {len(losses)} epochs"
    return Evidence(measure="epochs-with-the-same-loss", text=text, value=high, of=len(losses))


def floor_of_range(reach: Reach) -> Evidence:
    """What of the targets lies beyond the range of the output, and the squared error that this costs at least."""
    bounds = f"from {reach.low:g} to {reach.high:g}" if np.isfinite(reach.high) else f"from {reach.low:g} up"
    beyond = f"the output goes {bounds}: {reach.outside:.0%} of the targets lie beyond"
    if reach.sums_to_one:
        beyond = "the outputs of a row sum to 1, the targets do not"
    text = (
        f"{beyond}, and the nearest values it can give have a squared error of {reach.floor:.4g}, "
        f"{reach.share:.0%} of the variance"
    )
    return Evidence(measure="squared-error-floor", text=text, value=reach.floor, expected=0.0)


def zero_loss(curve: Curve | None) -> Evidence | None:
    """Every batch of the run had a loss of exactly 0."""
    if curve is None or not len(curve.losses) or np.any(curve.losses != 0):
        return None
    count = len(curve.losses)
    text = f"the loss is exactly 0 in all {count} steps"
    return Evidence(measure="steps-with-loss-zero", text=text, value=count, of=count)
