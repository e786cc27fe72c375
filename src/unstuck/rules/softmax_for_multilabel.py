"""Softmax where a row may carry several labels."""

from __future__ import annotations

import numpy as np

from unstuck.experiments.interventions.head import ReplaceHead
from unstuck.finding import Evidence
from unstuck.measure.contract import UNPAIRED, Contract, paired, plain_output, width_of_activation
from unstuck.measure.data import Data
from unstuck.measure.seen import gathered
from unstuck.measure.setup import BINARY, CATEGORICAL, Setup
from unstuck.measure.skill import Skill
from unstuck.measure.task import Task
from unstuck.rules.rule import Cleared, Example, NotApplicable, Rule, Suspect

SEVERAL = 0.05
"""Share of rows without exactly one label from which softmax is the wrong output: one row in twenty is then answered
wrong whatever is learnt."""


class SoftmaxForMultilabel(Rule):
    """Softmax shares one unit of probability among labels that may all be true.

    What it finds
    A softmax output where rows of the 0/1 labels carry several labels, or none.

    Why training stops
    The outputs of a row sum to 1. With k labels the best answer is 1/k for each of them, which costs k ln k under
    categorical cross-entropy however long the training. On TensorFlow the gradient is computed as if each row of labels
    summed to 1, and the loss may rise without end.

    What you see
    A loss that stops at 1.3863 (two labels a row) or 3.2958 (three), outputs near 1/k and never above 0.5; on
    TensorFlow a loss that grows.

    How it is proven
    By arithmetic: two outputs that sum to 1 cannot both be 1. The same network with sigmoids and binary cross-entropy
    is trained from the same seeds.

    When to ignore it
    When only the order of the labels matters.

    References
    keras/src/backend/tensorflow/nn.py (categorical_crossentropy). keras-team/keras#741; keras-team/keras#2166.
    """

    code = "OUT110"
    severity = "error"
    sick = Example(
        """
labels = np.array([[1, 1, 0], [0, 1, 1], [1, 0, 1]], dtype="float32")
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(3, activation="softmax"),
])
model.compile(keras.optimizers.Adam(0.01), loss="categorical_crossentropy")
model.fit(x, labels[y], epochs=20, validation_data=(x_val, labels[y_val]), verbose=0)
""",
        data="three-classes",
    )
    healthy = Example(
        """
labels = np.array([[1, 1, 0], [0, 1, 1], [1, 0, 1]], dtype="float32")
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(3, activation="sigmoid"),
])
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy")
model.fit(x, labels[y], epochs=20, validation_data=(x_val, labels[y_val]), verbose=0)
""",
        data="three-classes",
    )

    def check(
        self, setup: Setup, contract: Contract, data: Data, task: Task, skill: Skill | None
    ) -> Cleared | NotApplicable | Suspect:
        head, loss = setup.head, setup.loss
        if loss.name not in BINARY | CATEGORICAL or loss.custom:
            return NotApplicable("the loss is neither binary nor categorical cross-entropy")
        if not paired(setup, contract):
            return NotApplicable(UNPAIRED)
        if task.kind != "multilabel":
            return NotApplicable("the rows carry one label each")
        softmax = head.activation == "softmax" or (
            loss.name in CATEGORICAL and loss.from_logits and head.activation == "linear"
        )
        if not softmax or not plain_output(setup) or width_of_activation(setup) == 1:
            return Cleared(f"the output ends with {head.activation}")
        labels = data.y.astype(np.float64).sum(axis=-1)
        share = float((labels != 1).mean())
        if share < SEVERAL:
            return Cleared(f"{share:.1%} of the rows do not have exactly one label", share, SEVERAL)
        return Suspect(
            message=f"softmax gives each row one label's worth, and {share:.0%} of the rows do not have exactly one",
            confidence="proven",
            location=setup.layer_location(head.activation_layer, "activation", label="the outputs sum to 1"),
            related=(
                setup.sources.argument(setup.sites["fit"], "y", 1, label=f"{labels.mean():.3g} labels a row"),
                setup.loss_location(),
            ),
            evidence=gathered(
                Evidence(
                    measure="labels-a-row",
                    text=f"rows carry {labels.min():.0f} to {labels.max():.0f} labels, {labels.mean():.3g} on average",
                    value=float(labels.mean()),
                    expected=1.0,
                ),
                _floor(labels, skill) if loss.name == "categorical_crossentropy" else None,
            ),
            scope={"layer": head.layer.name},
            cures=(ReplaceHead("sigmoid", "binary_crossentropy"),),
            conclusion="outputs that sum to 1 cannot be right for two labels at once, nor for none",
            leads_to=(
                "empty-target-rows",
                "learning-rate-too-high",
                "learning-rate-too-low",
                "diverging-loss",
                "too-few-updates",
                "model-too-small",
            ),
        )


def _floor(labels: np.ndarray, skill: Skill | None) -> Evidence:
    """Mean of k ln k over the rows: the cross-entropy of 1/k for each of k labels."""
    floor = float((labels * np.log(np.maximum(labels, 1))).mean())
    text = f"with k labels a row the loss cannot fall below the mean of k ln k = {floor:.4f}"
    if skill is None or not np.isfinite(skill.reported_loss):
        return Evidence(measure="loss-floor", text=text, expected=floor)
    text = f"the loss ended at {skill.reported_loss:.4f}; {text}"
    return Evidence(measure="loss-floor", text=text, value=skill.reported_loss, expected=floor)
