"""Labels that do not vary."""

from __future__ import annotations

import numpy as np

from unstuck.finding import Evidence
from unstuck.measure.contract import Contract
from unstuck.measure.data import Data
from unstuck.measure.seen import gathered
from unstuck.measure.setup import Setup
from unstuck.measure.skill import Skill
from unstuck.rules.rule import Cleared, Example, NotApplicable, Rule, Suspect

ENOUGH_ROWS = 2


class ConstantTarget(Rule):
    """Every training label is the same.

    What it finds
    Training targets with one value, or the same target row everywhere: one class after a filter, a slice of sorted
    labels, labels that were read as zeros.

    Why training stops
    The best answer to a constant question is a constant. The bias of the output learns it, and nothing asks the other
    weights to look at the inputs.

    What you see
    The loss falls towards 0 within a few epochs and accuracy is 1.0 at once, or the validation score stays at chance
    although the training score is perfect. With labels of 0 and a ReLU output the loss is exactly 0.

    How it is proven
    By counting: all recorded training labels are equal, so a network without inputs has the same loss.

    When to ignore it
    When the loss does not use the labels (metric learning, a loss of the model's own) or the constant is part of an
    adversarial game. Losses and training steps of your own are not looked at.

    References
    experiencor/keras-yolo2#314; PanJinquan/tensorflow_models_learning#23.
    """

    code = "DAT101"
    severity = "error"
    echo_of = ("ordered-validation-split", "zero-sample-weights")
    sick = Example(
        """
order = np.argsort(y, kind="stable")
x, y = x[order], y[order]
half = len(x) // 3
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile("adam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x[:half], y[:half], epochs=8, validation_data=(x_val, y_val), verbose=0)
"""
    )
    healthy = Example(
        """
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile("adam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=20, validation_data=(x_val, y_val), verbose=0)
"""
    )

    def check(
        self, setup: Setup, contract: Contract, data: Data, skill: Skill | None
    ) -> Cleared | NotApplicable | Suspect:
        if not contract.single:
            return NotApplicable("the model has several outputs")
        if setup.loss.custom or setup.custom_train_step or not setup.loss.name or contract.own_loss:
            return NotApplicable("the loss is the person's own and may not use the labels")
        rows = data.y.reshape(len(data.y), -1)
        if len(rows) < ENOUGH_ROWS or not np.isfinite(rows.astype(np.float64)).all():
            return NotApplicable("there are no two finite labels to compare")
        varying = int((rows != rows[0]).any(axis=1).sum())
        about = (data.stats.get("y") or [{}])[0]
        if varying or (data.rows > len(rows) and about.get("std", 0.0) > 0 and rows.shape[1] == 1):
            return Cleared("the labels vary", float(varying), 0)
        if setup.head.layer.params and not setup.head.layer.trainable:
            return NotApplicable("the output is a frozen network's, as where a generator is trained through its critic")
        frozen = any(layer.params and not layer.trainable for layer in setup.layers)
        value = f"{float(rows[0, 0]):g}" if rows.shape[1] == 1 else "the same row"
        return Suspect(
            message=f"all {data.rows} training labels are {value}",
            # A frozen part with constant labels is also how one player of an adversarial pair is trained.
            confidence="likely" if frozen else "proven",
            severity="warning" if frozen else None,
            location=setup.sources.argument(setup.sites["fit"], "y", 1, label="these labels") or setup.fit_location(),
            evidence=gathered(
                Evidence(
                    measure="distinct-labels",
                    text=f"{data.rows} training rows, 1 distinct label",
                    value=1,
                    of=data.rows,
                ),
                _held_varies(data),
                _split(contract),
                _perfect(skill),
            ),
            conclusion="a constant answer has the lowest possible loss, so the inputs cannot matter",
            leads_to=(
                "memorising",
                "dead-relu-output",
                "class-imbalance",
                "no-signal",
                "empty-target-rows",
                "saturated-activation",
            ),
        )


def _held_varies(data: Data) -> Evidence | None:
    held = data.held_y.reshape(len(data.held_y), -1)
    if data.held_kind == "holdout" or not len(held):
        return None
    count = len(np.unique(held, axis=0))
    text = f"the {len(held)} held-out labels have {count} distinct value{'s' if count > 1 else ''}"
    return Evidence(measure="distinct-held-out-labels", text=text, value=count)


def _split(contract: Contract) -> Evidence | None:
    share = contract.validation_split
    if not share:
        return None
    text = f"validation_split={share:g} takes the last rows, so sorted labels leave one class for training"
    return Evidence(measure="validation-split", text=text, value=share)


def _perfect(skill: Skill | None) -> Evidence | None:
    if skill is None or not np.isfinite([skill.accuracy, skill.held_accuracy]).all():
        return None
    text = f"training accuracy is {skill.accuracy:.3f}, held-out accuracy {skill.held_accuracy:.3f}"
    return Evidence(measure="held-out-accuracy", text=text, value=skill.held_accuracy, expected=skill.accuracy)
