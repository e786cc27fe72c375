"""Binary cross-entropy, or binary accuracy, over the columns of one-hot labels."""

from __future__ import annotations

import numpy as np

from unstuck.experiments.intervention import Intervention
from unstuck.experiments.interventions.head import ReplaceHead
from unstuck.experiments.interventions.loss import SetLoss
from unstuck.experiments.source_edits import set_metrics
from unstuck.finding import Evidence
from unstuck.measure.contract import UNPAIRED, Contract, paired
from unstuck.measure.data import Data
from unstuck.measure.replay import Replay
from unstuck.measure.seen import gathered, loss_at_chance
from unstuck.measure.setup import BINARY, Setup
from unstuck.measure.skill import Skill
from unstuck.measure.task import Task
from unstuck.rules.rule import Cleared, Example, NotApplicable, Rule, Suspect

INFLATED = 0.02
"""A binary accuracy this much above the share of right rows misleads: it is the rounding of two printed digits."""


class BinaryLossOnOneHot(Rule):
    """Each column of one-hot labels is judged on its own, so that every 0 counts as a right answer.

    What it finds
    One-hot labels of three or more classes under binary cross-entropy, and binary accuracy among the metrics.

    Why training stops
    It rarely does: the loss is a fair one. But of C columns of a row C - 1 are 0, so always answering 0 is right in
    1 - 1/C of them, and binary accuracy shows 0.90 for ten classes before anything is learnt.

    What you see
    An accuracy of 0.67, 0.75 or 0.90 at once and predictions that are wrong.

    How it is proven
    Both accuracies are computed from the same recorded predictions. Whether the loss is at fault too is decided by
    training the same network with categorical cross-entropy from the same seeds.

    When to ignore it
    When the columns are labels of their own and a row may have several.

    References
    keras/src/trainers/compile_utils.py (get_metric). Question 42081257 on Stack Overflow; keras-team/keras#5210.
    """

    code = "OUT109"
    severity = "error"
    sick = Example(
        """
y, y_val = keras.utils.to_categorical(y, 3), keras.utils.to_categorical(y_val, 3)
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(3, activation="softmax"),
])
model.compile("adam", loss="binary_crossentropy", metrics=["binary_accuracy"])
model.fit(x, y, epochs=4, validation_data=(x_val, y_val), verbose=0)
""",
        data="three-classes",
    )
    healthy = Example(
        """
y, y_val = keras.utils.to_categorical(y, 3), keras.utils.to_categorical(y_val, 3)
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(3, activation="softmax"),
])
model.compile(keras.optimizers.Adam(0.01), loss="categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=20, validation_data=(x_val, y_val), verbose=0)
""",
        data="three-classes",
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
        if setup.loss.name not in BINARY or setup.loss.custom:
            return NotApplicable("the loss is not binary cross-entropy")
        if not paired(setup, contract):
            return NotApplicable(UNPAIRED)
        if task.kind != "multiclass" or data.y.ndim < 2 or data.y.shape[-1] < 3:
            return NotApplicable("the labels are not one-hot rows of three or more classes")
        seen = _two_accuracies(setup, data, skill, replay)
        if seen is not None and seen[0] > seen[1] + INFLATED:
            return self._inflated(setup, *seen, classes=data.y.shape[-1])
        message = "binary cross-entropy judges each column of the one-hot labels on its own"
        return Suspect(
            message=message,
            confidence="likely",
            location=setup.loss_location("one yes or no a column"),
            evidence=gathered(loss_at_chance(skill)),
            cures=_cures(setup),
            harmless=message,
            leads_to=("learning-rate-too-low", "too-few-updates"),
        )

    def _inflated(self, setup: Setup, binary: float, right: float, classes: int) -> Suspect:
        return Suspect(
            message=f"binary accuracy shows {binary:.3f}, and {right:.3f} of the rows are answered right",
            confidence="proven",
            severity="warning",
            location=setup.compile_location("metrics", 3, "counts every 0 of a row"),
            related=(setup.loss_location("one yes or no a column"),),
            evidence=(Evidence(measure="binary-accuracy", text=_words(binary, classes), value=binary, expected=right),),
            cures=_cures(setup),
            fix=set_metrics(setup, "count the rows whose largest output is right", '["categorical_accuracy"]'),
            conclusion=f"{classes - 1} of the {classes} columns of every row are 0, and each 0 counts as right",
            impairs=False,
            leads_to=("learning-rate-too-low", "too-few-updates"),
        )


def _two_accuracies(setup: Setup, data: Data, skill: Skill | None, replay: Replay | None) -> tuple[float, float] | None:
    """Binary accuracy and the share of right rows, from the same predictions, where the former is shown."""
    if "binary_accuracy" not in setup.metrics or replay is None or skill is None:
        return None
    outputs = replay.train_outputs
    y = data.y[: len(outputs)]
    if outputs.shape != y.shape or not np.isfinite(skill.accuracy):
        return None
    return float(((outputs > 0.5) == (y > 0.5)).mean()), skill.accuracy


def _words(binary: float, classes: int) -> str:
    zeros = 1 - 1 / classes
    return f"always answering 0 has a binary accuracy of {zeros:.3f} with {classes} classes; this is {binary:.3f}"


def _cures(setup: Setup) -> tuple[Intervention, ...]:
    if setup.head.activation == "softmax":
        return (SetLoss("categorical_crossentropy"),)
    if setup.head.activation == "linear" and setup.loss.from_logits:
        return (SetLoss("categorical_crossentropy", from_logits=True),)
    return (ReplaceHead("softmax", "categorical_crossentropy"),)
