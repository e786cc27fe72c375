"""Sigmoids under a loss for one class of several."""

from __future__ import annotations

import numpy as np

from unstuck.experiments.intervention import Intervention
from unstuck.experiments.interventions.head import ReplaceHead
from unstuck.experiments.interventions.loss import SetLoss
from unstuck.finding import Evidence
from unstuck.measure.contract import UNPAIRED, Contract, paired, plain_output, width_of_activation
from unstuck.measure.replay import Replay
from unstuck.measure.seen import gathered, loss_at_chance
from unstuck.measure.setup import CATEGORICAL, SPARSE, Setup
from unstuck.measure.skill import Skill
from unstuck.measure.task import Task
from unstuck.rules.rule import Cleared, Example, NotApplicable, Rule, Suspect


class SigmoidWithCategoricalLoss(Rule):
    """Several sigmoids under categorical cross-entropy.

    What it finds
    An output of several sigmoid units under categorical cross-entropy or its sparse form.

    Why training stops
    The loss divides the outputs by their sum first. For one class a row that is learnt well as a rule, but the outputs
    are no probabilities: all may be near 0, or near 1. For several labels a row only their proportions are trained, and
    a row without labels teaches nothing.

    What you see
    Usually a run that works, with outputs that do not sum to 1 and a threshold of 0.5 that means nothing.

    How it is proven
    The same network is trained with softmax, or for several labels with binary cross-entropy, from the same seeds. If
    that makes no difference, this is not the cause and it is not reported.

    When to ignore it
    When the largest output is all that is asked for.

    References
    keras/src/backend/jax/nn.py (categorical_crossentropy). keras-team/keras#6421; question 42472447 on Stack Overflow.
    """

    code = "OUT108"
    severity = "error"
    sick = Example(
        """
labels = np.array([[1, 1, 0], [0, 1, 1], [0, 0, 0]], dtype="float32")
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(3, activation="sigmoid"),
])
model.compile(keras.optimizers.Adam(0.01), loss="categorical_crossentropy")
model.fit(x, labels[y], epochs=20, validation_data=(x_val, labels[y_val]), verbose=0)
""",
        data="three-classes",
    )
    healthy = Example(
        """
labels = np.array([[1, 1, 0], [0, 1, 1], [0, 0, 0]], dtype="float32")
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
        self, setup: Setup, contract: Contract, task: Task | None, replay: Replay | None, skill: Skill | None
    ) -> Cleared | NotApplicable | Suspect:
        head, loss = setup.head, setup.loss
        if loss.name not in CATEGORICAL | SPARSE or loss.custom:
            return NotApplicable("the loss is not a categorical cross-entropy")
        if not paired(setup, contract):
            return NotApplicable(UNPAIRED)
        if head.activation != "sigmoid":
            return Cleared(f"the output ends with {head.activation}")
        if width_of_activation(setup) == 1 or not plain_output(setup):
            return NotApplicable("the sigmoids do not give the classes of the output")
        several = task is not None and task.kind == "multilabel"
        cure: Intervention = SetLoss("binary_crossentropy") if several else ReplaceHead("softmax")
        what = "which labels are on is not trained" if several else "the outputs are no probabilities"
        message = f"{loss.name.replace('_', ' ')} takes only the proportions of the sigmoids: {what}"
        return Suspect(
            message=message,
            confidence="likely",
            location=setup.layer_location(head.activation_layer, "activation", label="each unit on its own"),
            related=(setup.loss_location("divides the outputs by their sum"),),
            evidence=gathered(_sums(replay), loss_at_chance(skill)),
            scope={"layer": head.layer.name},
            cures=(cure,),
            harmless=message,
            leads_to=("empty-target-rows", "vanishing-gradient", "learning-rate-too-low", "too-few-updates"),
        )


def _sums(replay: Replay | None) -> Evidence | None:
    if replay is None or not replay.train_outputs.size or not np.isfinite(replay.train_outputs).all():
        return None
    sums = replay.train_outputs.sum(axis=-1)
    low, high = float(sums.min()), float(sums.max())
    text = f"the outputs of a row sum to between {low:.3g} and {high:.3g}"
    return Evidence(measure="output-row-sum", text=text, value=float(sums.mean()), expected=1.0)
