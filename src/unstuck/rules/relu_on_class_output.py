"""ReLU on the output of a classifier."""

from __future__ import annotations

import numpy as np

from unstuck.experiments.intervention import Intervention
from unstuck.experiments.interventions.head import ReplaceHead
from unstuck.finding import Evidence
from unstuck.measure.contract import UNPAIRED, Contract, paired, plain_output, width_of_activation
from unstuck.measure.data import Data
from unstuck.measure.replay import Replay
from unstuck.measure.seen import gathered, loss_at_chance
from unstuck.measure.setup import BINARY, CATEGORICAL, SPARSE, Setup
from unstuck.measure.skill import Skill
from unstuck.measure.task import Task
from unstuck.rules.rule import Cleared, Example, NotApplicable, Rule, Suspect

RECTIFIED = frozenset({"relu", "relu6", "leaky_relu", "elu", "celu", "selu", "gelu", "silu", "swish", "mish"})
"""Activations meant for hidden layers: unbounded above and flat or nearly so below 0."""
OTHERS = frozenset({"tanh", "hard_tanh", "softsign", "softplus", "hard_silu", "hard_swish"})
"""More of them. Half of what the first three give is no probability, and as logits they stay between -1 and 1."""


class ReluOnClassOutput(Rule):
    """The classes come out of a ReLU or a tanh, and the loss takes them for probabilities or logits.

    What it finds
    An output that ends with relu, tanh or another activation for hidden layers under a binary or categorical
    cross-entropy.

    Why training stops
    ReLU is 0 with slope 0 for every negative input. A class whose unit is negative gets no gradient; a row on which all
    units are negative is 0/0 after the loss has divided by the sum. Above 1 binary cross-entropy is clipped and has no
    gradient either. So it is with the negative half of tanh.

    What you see
    A loss that is high and jumps, NaN, or stays; accuracy at the share of one class, or of none.

    How it is proven
    The same network with softmax or sigmoid, and with logits, is trained from the same seeds. Some runs learn
    nevertheless; those are cleared.

    When to ignore it
    Never: there is nothing that ReLU or tanh does better here.

    References
    keras/src/backend/jax/nn.py (categorical_crossentropy). Questions 51185079 and 58572274 on Stack Overflow.
    """

    code = "OUT111"
    severity = "error"
    sick = Example(
        """
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(3, activation="relu"),
])
model.compile("adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=10, validation_data=(x_val, y_val), verbose=0)
""",
        data="three-classes",
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
        self,
        setup: Setup,
        contract: Contract,
        task: Task | None,
        data: Data | None,
        replay: Replay | None,
        skill: Skill | None,
    ) -> Cleared | NotApplicable | Suspect:
        head, loss = setup.head, setup.loss
        if loss.name not in BINARY | CATEGORICAL | SPARSE or loss.custom:
            return NotApplicable("the loss is not a cross-entropy")
        if not paired(setup, contract):
            return NotApplicable(UNPAIRED)
        if head.activation not in RECTIFIED | OTHERS or not plain_output(setup):
            return Cleared(f"the output ends with {head.activation}")
        if width_of_activation(setup) == 1 and loss.name not in BINARY:
            return NotApplicable("one unit under a categorical loss: see categorical-loss-on-one-unit")
        if task is not None and task.kind == "regression":
            return NotApplicable("the targets are not classes: see class-loss-on-regression")
        logits = "logits" if loss.from_logits else "probabilities"
        label = "no gradient below 0" if head.activation in RECTIFIED else f"gives no {logits}"
        message = f"the output ends with {head.activation}, and the loss takes it for {logits}"
        return Suspect(
            message=message,
            confidence="likely",
            location=setup.layer_location(head.activation_layer, "activation", 1, label),
            related=(setup.loss_location(f"takes {logits}"),),
            evidence=gathered(_zeros(replay), loss_at_chance(skill)),
            scope={"layer": head.layer.name},
            cures=_cures(setup),
            harmless=message,
            leads_to=(
                "dead-relu-output",
                "saturated-loss-clip",
                "undefined-operation",
                "non-finite-step",
                "swallowed-nan",
                "learning-rate-too-high",
                "learning-rate-too-low",
                "vanishing-gradient",
                "diverging-loss",
                "momentum-oscillation",
            ),
        )


def _cures(setup: Setup) -> tuple[Intervention, ...]:
    """The activation that gives probabilities, where the loss takes them, and logits without one."""
    name = setup.loss.name
    logits = ReplaceHead("linear", name, from_logits=True)
    if setup.loss.from_logits:
        return (logits,)
    return ReplaceHead("sigmoid" if name in BINARY else "softmax"), logits


def _zeros(replay: Replay | None) -> Evidence | None:
    if replay is None or not replay.train_outputs.size:
        return None
    rows = replay.train_outputs.reshape(-1, replay.train_outputs.shape[-1])
    if not np.isfinite(rows).all():
        return Evidence(measure="non-finite-outputs", text="the outputs of the final weights are not numbers")
    share, largest = float((rows <= 0).all(axis=1).mean()), float(rows.max())
    text = f"{share:.0%} of the training rows get 0 or less from every unit; the largest output is {largest:.3g}"
    return Evidence(measure="rows-without-output", text=text, value=share, expected=0.0)
