"""A squared error on outputs for classes: on saturating ones, or on one number that stands for all of them."""

from __future__ import annotations

import numpy as np

from unstuck.experiments.interventions.head import ReplaceHead
from unstuck.experiments.interventions.loss import SetLoss
from unstuck.experiments.interventions.one_unit import head_for_one_unit
from unstuck.finding import Evidence
from unstuck.measure.contract import UNPAIRED, Contract, paired, plain_output, suited_loss, width_of_activation
from unstuck.measure.data import Data
from unstuck.measure.replay import Replay
from unstuck.measure.seen import gathered, loss_at_chance
from unstuck.measure.setup import SQUARED, Setup
from unstuck.measure.skill import Skill
from unstuck.measure.task import UNBOUNDED, Task
from unstuck.rules.rule import Cleared, Example, NotApplicable, Rule, Suspect

TWO = 2


class SquaredErrorOnClasses(Rule):
    """Classes are trained with a squared or absolute error.

    What it finds
    A sigmoid or softmax output with 0/1 labels under mean squared error or one of its relatives. One linear unit for
    class numbers from 0 to 9, say, of which accuracy is asked. Linear or rectified outputs for one-hot rows.

    Why training stops
    The gradient carries the slope of the activation, p(1 - p). Where the network is wrong and sure of it that slope is
    nearly 0; with many classes the mean over the columns divides what is left by their number. One number for all
    classes makes neighbours of classes that are none, and between two of them lies a third. Most columns of one-hot
    rows want 0, and an absolute error is lowest there until the network is surer than even.

    What you see
    A very slow start, or a plateau at 0.25 (two classes) or at the share of positives. With one number an accuracy that
    stays low while the loss falls: Keras only asks whether the number is above 0.5.

    How it is proven
    The same network is trained with the cross-entropy for these labels from the same seeds. Many runs learn just as
    well with a squared error; those are cleared.

    When to ignore it
    When the run is good, when the squared error of the probabilities (Brier score) is what is wanted, or when the
    classes are grades of one quantity.

    References
    Golik, Doetsch and Ney 2013, "Cross-entropy vs. squared error training". keras-team/keras#1895; question 56317174 on
    Stack Overflow.
    """

    code = "OUT116"
    severity = "error"
    sick = Example(
        """
labels, labels_val = keras.utils.to_categorical(y, 10), keras.utils.to_categorical(y_val, 10)
model = keras.Sequential([
    keras.layers.Flatten(),
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(10, activation="softmax"),
])
model.compile("sgd", loss="mse", metrics=["accuracy"])
model.fit(x, labels, epochs=10, validation_data=(x_val, labels_val), verbose=0)
""",
        data="images",
    )
    healthy = Example(
        """
labels, labels_val = keras.utils.to_categorical(y, 10), keras.utils.to_categorical(y_val, 10)
model = keras.Sequential([
    keras.layers.Flatten(),
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(10, activation="softmax"),
])
model.compile("adam", loss="categorical_crossentropy", metrics=["accuracy"])
model.fit(x, labels, epochs=10, validation_data=(x_val, labels_val), verbose=0)
""",
        data="images",
    )

    def check(
        self,
        setup: Setup,
        contract: Contract,
        data: Data,
        task: Task,
        replay: Replay | None,
        skill: Skill | None,
    ) -> Cleared | NotApplicable | Suspect:
        head = setup.head
        if setup.loss.name not in SQUARED or setup.loss.custom or task.kind == "regression":
            return NotApplicable("the task is not one of classes under a squared or absolute loss")
        if not paired(setup, contract):
            return NotApplicable(UNPAIRED)
        if task.kind == "multiclass" and head.units == 1 and head.activation in UNBOUNDED and plain_output(setup):
            return _one_number(setup, task, data)
        many = task.kind == "multiclass" and data.y.ndim > 1 and data.y.shape[-1] > TWO
        if many and head.activation in UNBOUNDED and plain_output(setup):
            return _unbounded(setup, data.y.shape[-1])
        if head.activation not in ("sigmoid", "softmax") or not plain_output(setup):
            return Cleared(f"the output ends with {head.activation}, which does not saturate at the labels")
        if head.activation == "softmax" and width_of_activation(setup) == 1:
            return NotApplicable("softmax over one unit: see softmax-on-one-unit")
        if data.y.min() < 0 or data.y.max() > 1:
            return NotApplicable("the labels are not 0 and 1: see labels-wrongly-encoded")
        name, _ = suited_loss(setup, contract, task, data)
        if head.activation == "sigmoid" and name == "categorical_crossentropy":
            name = "binary_crossentropy"
        words = f"{setup.loss.name.replace('_', ' ')} trains {head.activation} outputs"
        return Suspect(
            message=f"{words}, where its gradient fades",
            confidence="likely",
            location=setup.loss_location("times p(1 - p)"),
            related=(setup.layer_location(head.activation_layer, "activation", label="flat near 0 and 1"),),
            evidence=gathered(_slope(replay), loss_at_chance(skill)),
            cures=(SetLoss(name),),
            harmless=f"{words}, where cross-entropy is usual",
            leads_to=("learning-rate-too-low", "vanishing-gradient", "too-few-updates", "model-too-small"),
        )


def _one_number(setup: Setup, task: Task, data: Data) -> Suspect:
    present = len(np.unique(task.y))
    beyond = float((task.y > 1).mean())
    words = f"one number stands for {present} classes"
    return Suspect(
        message=f"{words}, as if they were amounts",
        confidence="likely",
        location=setup.layer_location(setup.head.layer, "units", 0, label="one number"),
        related=(
            setup.loss_location("the distance to the class number"),
            setup.sources.argument(setup.sites["fit"], "y", 1, label=f"{present} classes"),
        ),
        evidence=(
            Evidence(
                measure="labels-beyond-one",
                value=beyond,
                text=f"accuracy over one unit asks whether it is above 0.5: {beyond:.0%} of the labels are above 1 and"
                " are never counted as right",
            ),
        ),
        cures=(head_for_one_unit(setup, task, data),),
        harmless=f"{words}, where one unit for each is usual",
        leads_to=(
            "accuracy-resolved-wrong",
            "learning-rate-too-low",
            "too-few-updates",
            "model-too-small",
            "memorising",
        ),
    )


def _unbounded(setup: Setup, columns: int) -> Suspect:
    """One-hot rows: k - 1 of k columns want 0, which an absolute error is content with."""
    words = f"{setup.loss.name.replace('_', ' ')} trains {setup.head.activation} outputs for {columns} classes"
    return Suspect(
        message=words,
        location=setup.loss_location("most columns of a row want 0"),
        related=(setup.layer_location(setup.head.activation_layer, "activation", label="no probabilities"),),
        cures=(ReplaceHead("softmax", "categorical_crossentropy"),),
        harmless=f"{words}, where softmax and cross-entropy are usual",
        leads_to=("dead-relu-output", "learning-rate-too-low", "too-few-updates", "model-too-small"),
    )


def _slope(replay: Replay | None) -> Evidence | None:
    """Mean of p(1 - p), the factor that cross-entropy does not have."""
    if replay is None or not replay.train_outputs.size or not np.isfinite(replay.train_outputs).all():
        return None
    p = replay.train_outputs
    slope = float((p * (1 - p)).mean())
    text = f"the slope p(1 - p) of the outputs is {slope:.3g} on average; 0.25 is the most"
    return Evidence(measure="mean-output-slope", text=text, value=slope, expected=0.25)
