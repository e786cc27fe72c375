"""A loss that cannot tell right answers from wrong ones with this output."""

from __future__ import annotations

import numpy as np

from unstuck.experiments.intervention import Intervention, Together
from unstuck.experiments.interventions.head import ReplaceHead
from unstuck.experiments.interventions.loss import SetLoss
from unstuck.experiments.interventions.one_unit import head_for_one_unit
from unstuck.experiments.interventions.standardise import StandardiseTargets
from unstuck.finding import Evidence
from unstuck.measure.contract import UNPAIRED, Contract, output_units, paired, plain_output, suited_loss
from unstuck.measure.data import Data
from unstuck.measure.network.reach import RANGES
from unstuck.measure.replay import Replay
from unstuck.measure.room import Room
from unstuck.measure.seen import gathered, same_answer
from unstuck.measure.setup import HINGES, Setup
from unstuck.measure.skill import Skill
from unstuck.measure.task import Task
from unstuck.rules.rule import Cleared, Example, NotApplicable, Rule, Suspect

NEGATIVE = 0.01
"""Share of the targets below 0 from which on they count; fewer are slips in the data."""
LOGARITHMIC = "mean_squared_logarithmic_error"
FROM_ZERO = frozenset({"poisson", LOGARITHMIC})
"""Losses for targets from 0 up."""
NEAR_ZERO = 1e-4
"""A loss this small, either sign, is what clipping at 1e-7 leaves of a divergence that has nothing to say."""


class UnsuitableLoss(Rule):
    """The loss is lowest for an answer that does not depend on the row.

    What it finds
    kl_divergence on outputs that are not forced to sum to 1 (sigmoid, one unit, linear), cosine_similarity on one
    unit, poisson and the squared logarithmic error on targets that go below 0. Where a trial confirms it: a hinge on
    softmax or sigmoid outputs, a hinge or poisson on one number for more than two classes. A hinge on targets that are
    amounts.

    Why training stops
    y log(y / p) is 0 where y is 0, and elsewhere falls as p rises: every output is pushed to 1, and nothing pushes the
    wrong ones down. Of a single number the cosine keeps the sign alone, which has no gradient. Poisson is p - y log p:
    for y below 0 it falls without end as p goes to 0. The logarithmic error reads every number below 0 as 0. A hinge
    asks for a margin of 1 to both sides of 0, which outputs between 0 and 1 never have, and through a softmax or
    sigmoid its gradient fades with p(1 - p).

    What you see
    A loss near 0 or slightly below it (-7.9e-07) within an epoch, with predictions that are all 1; or one that is
    frozen from the start.

    How it is proven
    By the formula of the loss and the kind of output. The same network with the loss for these labels is trained from
    the same seeds. With softmax the divergence is a cross-entropy and is cleared.

    When to ignore it
    Never with these outputs.

    References
    keras/src/losses/losses.py (kl_divergence, cosine_similarity). keras-team/keras#1917; question 63212385 on Stack
    Overflow.
    """

    code = "OUT125"
    severity = "error"
    sick = Example(
        """
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.Adam(0.01), loss="kl_divergence", metrics=["accuracy"])
model.fit(x, y.reshape(-1, 1), epochs=20, validation_data=(x_val, y_val.reshape(-1, 1)), verbose=0)
"""
    )
    healthy = Example(
        """
y, y_val = keras.utils.to_categorical(y, 2), keras.utils.to_categorical(y_val, 2)
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(2, activation="softmax"),
])
model.compile(keras.optimizers.Adam(0.01), loss="kl_divergence", metrics=["accuracy"])
model.fit(x, y, epochs=20, validation_data=(x_val, y_val), verbose=0)
"""
    )

    def check(
        self,
        setup: Setup,
        contract: Contract,
        data: Data,
        task: Task,
        replay: Replay | None,
        skill: Skill | None,
        room: Room | None,
    ) -> Cleared | NotApplicable | Suspect:
        name, head = setup.loss.name, setup.head
        if name in HINGES | FROM_ZERO and not setup.loss.custom and paired(setup, contract):
            if name != LOGARITHMIC and _one_number(setup, contract, task):
                return _several_classes(setup, contract, data, task, skill)
            if name in HINGES:
                return _hinge(setup, contract, data, task, skill, room)
            if task.kind != "regression":
                return NotApplicable("the targets are classes, which are not below 0")
            share = float((data.y < 0).mean())
            if share < NEGATIVE:
                return Cleared(f"{share:.0%} of the targets are below 0", share, NEGATIVE)
            text = f"{share:.0%} of the targets are below 0, the lowest is {float(np.nanmin(data.y)):.3g}"
            below = Evidence(measure="targets-below-zero", text=text, value=share, expected=0.0)
            return _poisson(setup, below, skill, replay) if name == "poisson" else _as_zero(setup, below, skill, room)
        if name not in ("kl_divergence", "cosine_similarity") or setup.loss.custom:
            return NotApplicable(
                "the loss is none of kl_divergence, cosine_similarity, poisson, the logarithmic error and the hinges"
            )
        if not paired(setup, contract):
            return NotApplicable(UNPAIRED)
        width = output_units(setup, contract)
        if not plain_output(setup) or width is None:
            return NotApplicable("the output is not the last layer's own")
        if head.activation not in {"linear", *RANGES} or (head.activation == "softmax" and width == 1):
            return NotApplicable(f"what {head.activation} gives is not known, or softmax has one unit")
        if name == "cosine_similarity" and width > 1:
            return Cleared(f"the cosine compares the directions of {width} outputs", width, 1)
        if head.activation == "softmax" and width > 1:
            return Cleared("the outputs sum to 1, so the divergence is a cross-entropy")
        says = (
            "of one number the cosine is its sign, which has no gradient"
            if name == "cosine_similarity"
            else "the divergence falls as an output rises, wherever the label is above 0, and nothing pushes it down"
        )
        return Suspect(
            message=f"{name.replace('_', ' ')} cannot tell right from wrong on {width} {head.activation} output"
            f"{'s' if width > 1 else ''}",
            confidence="proven",
            severity="warning" if room is not None and not room.exists else "error",
            location=setup.loss_location("the same answer for every row is best"),
            related=(setup.layer_location(head.layer, "units", 0, label="not forced to sum to 1"),),
            evidence=gathered(_loss(skill), same_answer(replay), _largest(replay)),
            cures=_cures(setup, contract, task, data),
            conclusion=says,
            leads_to=(
                "saturated-activation",
                "vanishing-gradient",
                "learning-rate-too-low",
                "loss-ignores-predictions",
                "too-few-updates",
                "model-too-small",
            ),
        )


def _one_number(setup: Setup, contract: Contract, task: Task) -> bool:
    return task.kind == "multiclass" and plain_output(setup) and output_units(setup, contract) == 1


def _several_classes(setup: Setup, contract: Contract, data: Data, task: Task, skill: Skill | None) -> Suspect:
    """One number for more than two classes, under a loss that is for two of them or for counts."""
    words = f"{setup.loss.name.replace('_', ' ')} trains one number for {len(np.unique(task.y))} classes"
    return Suspect(
        message=words,
        confidence="likely",
        location=setup.loss_location("for two classes" if setup.loss.name in HINGES else "for counts"),
        related=(setup.layer_location(setup.head.layer, "units", 0, label="one number"),),
        evidence=gathered(_loss(skill)),
        cures=_cures(setup, contract, task, data),
        harmless=f"{words}, where one unit for each is usual",
        leads_to=(
            "bounded-output",
            "accuracy-resolved-wrong",
            "saturated-activation",
            "learning-rate-too-high",
            "learning-rate-too-low",
            "too-few-updates",
            "vanishing-gradient",
            "model-too-small",
        ),
    )


def _poisson(setup: Setup, below: Evidence, skill: Skill | None, replay: Replay | None) -> Suspect:
    """Counts are never negative; for targets that are, the loss has no lowest value."""
    anew = (ReplaceHead("linear", "mean_squared_error"), StandardiseTargets())
    return Suspect(
        message="the Poisson loss has no lowest value for targets below 0",
        confidence="proven",
        location=setup.loss_location("made for counts"),
        related=(setup.sources.argument(setup.sites["fit"], "y", 1, label="go below 0"),),
        evidence=gathered(
            below,
            _loss(skill),
            same_answer(replay),
        ),
        cures=(anew[0], Together(anew)),
        conclusion="for y < 0, p - y log p falls without end as p goes to 0: every answer is driven to 0",
        leads_to=("saturated-activation", "vanishing-gradient", "diverging-loss", "undefined-operation"),
    )


def _as_zero(setup: Setup, below: Evidence, skill: Skill | None, room: Room | None) -> Suspect:
    """The logarithmic error takes log(1 + max(y, 0)), so that all numbers below 0 are one."""
    return Suspect(
        message=f"the logarithmic error reads the {below.value:.0%} of the targets that are below 0 as 0",
        confidence="proven",
        severity="warning" if room is not None and not room.exists else "error",
        location=setup.loss_location("made for numbers from 0 up"),
        related=(setup.sources.argument(setup.sites["fit"], "y", 1, label="go below 0"),),
        evidence=gathered(below, _loss(skill)),
        cures=(SetLoss("mean_squared_error"),),
        conclusion="Keras takes log(1 + max(y, 1e-7)) of targets and answers: below 0 no answer is better than another",
        leads_to=(
            "relu-output-negative-targets",
            "bounded-output",
            "loss-ignores-predictions",
            "learning-rate-too-low",
            "too-few-updates",
            "model-too-small",
        ),
    )


def _hinge(
    setup: Setup, contract: Contract, data: Data, task: Task, skill: Skill | None, room: Room | None
) -> Cleared | NotApplicable | Suspect:
    """A margin of 1 to both sides of 0 is out of reach of outputs between 0 and 1, and says nothing of amounts."""
    head, name = setup.head, setup.loss.name.replace("_", " ")
    if task.kind == "regression" and plain_output(setup) and output_units(setup, contract) == 1:
        return _margin_of_numbers(setup, name, skill, room)
    if not task.is_classes or not plain_output(setup):
        return NotApplicable("a hinge is judged on the classes of an output that is the last layer's own")
    if head.activation not in ("softmax", "sigmoid"):
        return Cleared(f"{head.activation} outputs can have the margin that {name} asks for")
    if head.activation == "softmax" and output_units(setup, contract) == 1:
        return NotApplicable("softmax over one unit: see softmax-on-one-unit")
    if data.y.min() < 0:
        return NotApplicable("the labels are -1 and 1: see bounded-output")
    words = f"{name} trains {head.activation} outputs"
    return Suspect(
        message=f"{words}, which never have the margin of 1 that it asks for",
        location=setup.loss_location("asks for -1 and 1"),
        related=(setup.layer_location(head.activation_layer, "activation", label="gives 0 to 1"),),
        evidence=gathered(_loss(skill)),
        cures=_cures(setup, contract, task, data),
        harmless=f"{words}, where cross-entropy is usual",
        leads_to=("learning-rate-too-low", "too-few-updates", "vanishing-gradient", "model-too-small"),
    )


def _margin_of_numbers(setup: Setup, name: str, skill: Skill | None, room: Room | None) -> Suspect:
    return Suspect(
        message=f"{name} asks on which side of 0 an answer lies, and the targets are numbers",
        confidence="proven",
        severity="warning" if room is not None and not room.exists else "error",
        location=setup.loss_location("asks for a side"),
        related=(setup.sources.argument(setup.sites["fit"], "y", 1, label="numbers"),),
        evidence=gathered(_loss(skill)),
        cures=(ReplaceHead("linear", "mean_squared_error"),),
        conclusion="1 - y p is 0 or below for every p beyond 1 / y: the loss is not lowest where p is y",
        leads_to=(
            "bounded-output",
            "relu-output-negative-targets",
            "unscaled-targets",
            "dead-relu-output",
            "saturated-activation",
            "learning-rate-too-high",
            "learning-rate-too-low",
            "too-few-updates",
            "model-too-small",
        ),
    )


def _cures(setup: Setup, contract: Contract, task: Task, data: Data) -> tuple[Intervention, ...]:
    """The loss for these labels; a linear or rectified output gets the activation that goes with it."""
    if _one_number(setup, contract, task):
        return (head_for_one_unit(setup, task, data),)
    loss, _ = suited_loss(setup, contract, task, data)
    if task.kind == "regression":
        return (SetLoss(loss),)
    activation = "sigmoid" if loss == "binary_crossentropy" else "softmax"
    return (SetLoss(loss),) if setup.head.activation == activation else (ReplaceHead(activation, loss),)


def _loss(skill: Skill | None) -> Evidence | None:
    if skill is None or not np.isfinite(skill.evaluated_loss):
        return None
    loss = skill.evaluated_loss
    text = f"the final loss is {loss:.3g}" + (", as good as 0" if abs(loss) < NEAR_ZERO else "")
    return Evidence(measure="final-loss", text=text, value=loss)


def _largest(replay: Replay | None) -> Evidence | None:
    if replay is None or not replay.train_outputs.size or not np.isfinite(replay.train_outputs).all():
        return None
    low, mean = float(replay.train_outputs.min()), float(replay.train_outputs.mean())
    text = f"the outputs are {mean:.3g} on average, {low:.3g} at least"
    return Evidence(measure="mean-output", text=text, value=mean)
