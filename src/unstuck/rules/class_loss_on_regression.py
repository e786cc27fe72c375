"""A loss for classes on targets that are numbers."""

from __future__ import annotations

import numpy as np

from unstuck.experiments.intervention import Intervention, Together
from unstuck.experiments.interventions.head import ReplaceHead
from unstuck.experiments.interventions.loss import SetLoss
from unstuck.experiments.interventions.one_unit import head_for_one_unit
from unstuck.experiments.interventions.standardise import StandardiseTargets
from unstuck.finding import Evidence
from unstuck.measure.contract import AN_INDEX, UNPAIRED, Contract, output_units, paired
from unstuck.measure.data import Data
from unstuck.measure.room import Room
from unstuck.measure.seen import gathered
from unstuck.measure.setup import BINARY, CATEGORICAL, SPARSE, Setup
from unstuck.measure.task import MAX_CLASSES, Task
from unstuck.measure.training.curve import Curve
from unstuck.rules.rule import Cleared, Example, NotApplicable, Rule, Suspect

TWO = 2
"""Two values are two classes in another code: see labels-wrongly-encoded."""
CLOSE = 0.05
"""Targets this little outside 0 to 1 come from rounding or from resizing an image, and cost next to nothing."""
MANY = 0.5
"""Share of the target rows that are no distribution; soft labels sum to 1 but for rounding."""
FAR = 3.0
"""Standard deviations that the mean may lie from 0 before a linear output needs many steps just to get there."""


class ClassLossOnRegression(Rule):
    """A cross-entropy is given numbers instead of probabilities.

    What it finds
    Binary or categorical cross-entropy on targets of many values that leave the range from 0 to 1: prices, ages,
    temperatures. Binary cross-entropy on class numbers 0, 1, 2, 3, for which the output has one unit. Categorical
    cross-entropy on rows of numbers that do not sum to 1: the pixels of an autoencoder. Sparse categorical
    cross-entropy on amounts.

    Why training stops
    The loss is linear in the target. For a target above 1 it falls without end as the output nears 1, for one below 0
    as it nears 0; clipping at 1e-7 is all that holds it. Every large target asks for the same answer, 1. Keras divides
    outputs by their sum before it takes categorical cross-entropy, so of a row only the ratios are learnt.

    What you see
    A huge negative loss (-117944), accuracy near 0, predictions of exactly 0 or 1.

    How it is proven
    By arithmetic, from the loss and the range of the targets. The same network with a linear output and squared error,
    for class numbers with one unit for each class, is trained from the same seeds.

    When to ignore it
    Never for targets outside 0 to 1. Inside they are soft labels, and the rule is cleared.

    References
    keras/src/losses/losses.py (BinaryCrossentropy). keras-team/keras#1917; keras-team/keras#14046; question 54282951 on
    Stack Overflow.
    """

    code = "OUT115"
    severity = "error"
    sick = Example(
        """
y, y_val = 10 * y + 40, 10 * y_val + 40
model = keras.Sequential([
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile("adam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=10, validation_data=(x_val, y_val), verbose=0)
""",
        data="regression",
    )
    healthy = Example(
        """
model = keras.Sequential([
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(1),
])
model.compile("adam", loss="mse", metrics=["mae"])
model.fit(x, y, epochs=20, validation_data=(x_val, y_val), verbose=0)
""",
        data="regression",
    )

    def check(
        self, setup: Setup, contract: Contract, data: Data, task: Task, curve: Curve | None, room: Room | None
    ) -> Cleared | NotApplicable | Suspect:
        name = setup.loss.name
        if name in SPARSE and task.kind == "regression" and not setup.loss.custom and paired(setup, contract):
            return _amounts_as_indices(setup, contract, data)
        if name not in BINARY | CATEGORICAL or setup.loss.custom:
            return NotApplicable("the loss is neither binary nor categorical cross-entropy")
        if not paired(setup, contract):
            return NotApplicable(UNPAIRED)
        numbered = task.kind == "multiclass" and name in BINARY and output_units(setup, contract) == 1
        if task.kind != "regression" and not numbered:
            return NotApplicable("the targets are classes")
        values = data.finite_y
        if not values.size or len(np.unique(values)) <= TWO:
            return NotApplicable("the targets have two values: see labels-wrongly-encoded")
        low, high = float(values.min()), float(values.max())
        outside = float(((values < -CLOSE) | (values > 1 + CLOSE)).mean())
        if not outside and name in CATEGORICAL and (off := _no_distributions(data.y)) > MANY:
            return _only_ratios(setup, off)
        if not outside:
            return Cleared(f"the targets lie between {low:.3g} and {high:.3g}, as probabilities do", outside, 0.0)
        held = f"the labels number the classes {low:g} to" if numbered else f"the targets go from {low:.4g} to"
        return Suspect(
            message=f"{name.replace('_', ' ')} wants probabilities, and {held} {high:.4g}",
            confidence="proven",
            severity="warning" if room is not None and not room.exists else "error",
            location=setup.loss_location("wants 0 to 1"),
            related=(setup.sources.argument(setup.sites["fit"], "y", 1, label=f"{low:.3g} to {high:.3g}"),),
            evidence=gathered(
                Evidence(
                    measure="targets-outside-unit-interval",
                    text=f"{outside:.0%} of the targets lie outside 0 to 1",
                    value=outside,
                    expected=0.0,
                ),
                _negative(curve),
            ),
            cures=(head_for_one_unit(setup, task, data),) if numbered else _cures(task),
            conclusion="for a target above 1 the lowest loss is that of the answer 1, and for one below 0 that of 0,"
            " however large the target",
            leads_to=(
                "labels-wrongly-encoded",
                "unscaled-targets",
                "saturated-activation",
                "saturated-loss-clip",
                "diverging-loss",
                "learning-rate-too-high",
                "learning-rate-too-low",
                "vanishing-gradient",
                "relu-on-class-output",
                "missing-output-activation",
                "accuracy-on-regression",
                "model-too-small",
                "too-few-updates",
            ),
        )


def _amounts_as_indices(setup: Setup, contract: Contract, data: Data) -> Suspect | NotApplicable:
    """Sparse categorical cross-entropy takes each number for the index of a class."""
    values = np.unique(data.finite_y)
    units = output_units(setup, contract) or MAX_CLASSES
    if len(values) <= units:
        return NotApplicable("there are no more different labels than outputs: see labels-wrongly-encoded")
    return Suspect(
        message=f"{setup.loss.name.replace('_', ' ')} wants class numbers, and the targets are amounts from "
        f"{values[0]:.4g} to {values[-1]:.4g}",
        confidence="proven",
        location=setup.loss_location("wants class numbers"),
        related=(setup.sources.argument(setup.sites["fit"], "y", 1, label=f"{len(values)} different numbers"),),
        evidence=(
            Evidence(
                measure="different-targets",
                text=f"{len(values)} different targets, most with fractions, for {units} outputs",
                value=len(values),
                expected=units,
            ),
        ),
        cures=(ReplaceHead("linear", "mean_squared_error", units=1),),
        impairs=False,
        conclusion=AN_INDEX,
        leads_to=("labels-wrongly-encoded", "labels-out-of-range", "unscaled-targets", "accuracy-on-regression"),
    )


def _no_distributions(y: np.ndarray) -> float:
    """Share of the rows that do not sum to 1."""
    return float(np.mean(np.abs(y.reshape(-1, y.shape[-1]).sum(axis=1) - 1) > CLOSE)) if y.ndim > 1 else 0.0


def _only_ratios(setup: Setup, off: float) -> Suspect:
    """Which of the losses for single numbers is right depends on what the output can be."""
    squashed = setup.head.activation == "sigmoid"
    cures: tuple[Intervention, ...] = (ReplaceHead("linear", "mean_squared_error"),)
    return Suspect(
        message=f"{setup.loss.name.replace('_', ' ')} wants rows that sum to 1, and {off:.0%} of the targets' do not",
        location=setup.loss_location("compares ratios within a row"),
        related=(setup.sources.argument(setup.sites["fit"], "y", 1, label="numbers"),),
        evidence=(
            Evidence(
                measure="rows-that-do-not-sum-to-1",
                text=f"{off:.0%} of the target rows are no distribution over classes",
                value=off,
                expected=0.0,
            ),
        ),
        cures=(SetLoss("binary_crossentropy"), SetLoss("mean_squared_error"), *cures) if squashed else cures,
        impairs=False,
        leads_to=(
            "sigmoid-with-categorical-loss",
            "learning-rate-too-low",
            "learning-rate-too-high",
            "model-too-small",
            "too-few-updates",
        ),
    )


def _cures(task: Task) -> tuple[Intervention, ...]:
    linear = ReplaceHead("linear", "mean_squared_error")
    scaled = Together((linear, StandardiseTargets()))
    spread = float(np.sqrt(task.variance))
    far = float(np.abs(task.base).max()) > FAR * spread or not 1 / FAR < spread < FAR
    return (linear, scaled) if far else (linear,)


def _negative(curve: Curve | None) -> Evidence | None:
    if curve is None or not np.isfinite(curve.last) or curve.last >= 0:
        return None
    text = f"the loss is {curve.last:.4g}; no cross-entropy of probabilities is below 0"
    return Evidence(measure="negative-loss", text=text, value=curve.last, expected=0.0)
