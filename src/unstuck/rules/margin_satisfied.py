"""A margin loss that every row has passed."""

from __future__ import annotations

import ast

import numpy as np

from unstuck.finding import Evidence, Severity
from unstuck.measure.code.own_code import OwnCode, calls_in, functions_named
from unstuck.measure.contract import UNPAIRED, Contract, paired
from unstuck.measure.replay import Replay
from unstuck.measure.room import Room
from unstuck.measure.setup import HINGES, Setup
from unstuck.rules.rule import Cleared, Example, NotApplicable, Rule, Suspect

CUTTING = frozenset({"maximum", "relu", "clip"})
"""Calls that make max(0, .) of a margin in a loss of one's own."""


class MarginSatisfied(Rule):
    """The loss is exactly 0 because every row is past the margin.

    What it finds
    A hinge, or a triplet or contrastive loss of your own, that is exactly 0 with gradient 0 on all recorded rows while
    it still reacts to other outputs.

    Why training stops
    max(0, margin - distance) and its slope are 0 beyond the margin. Rows that are past it teach nothing more, and when
    all are, no weight moves. With easy triplets that may be so from the first epoch, with nothing useful learnt.

    What you see
    A loss of 0.0000e+00 in some epochs or in all.

    How it is proven
    The loss and its gradient are computed on the recorded rows: both are exactly 0, and other outputs give a loss above
    0.

    When to ignore it
    When the score on held-out rows is good: then the network is finished.

    References
    Schroff et al. 2015, "FaceNet" (semi-hard triplets). zukakosan/tripletNet#25; keras/src/losses/losses.py (hinge).
    """

    code = "OBJ102"
    severity = "warning"
    sick = Example(
        """
y, y_val = keras.utils.to_categorical(y, 3), keras.utils.to_categorical(y_val, 3)
model = keras.Sequential([
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(3),
])
model.compile(keras.optimizers.Adam(0.05), loss="categorical_hinge", metrics=["accuracy"])
model.fit(x, y, epochs=30, validation_data=(x_val, y_val), verbose=0)
""",
        data="three-classes",
    )
    healthy = Example(
        """
y, y_val = keras.utils.to_categorical(y, 3), keras.utils.to_categorical(y_val, 3)
model = keras.Sequential([
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(3, activation="softmax"),
])
model.compile(keras.optimizers.Adam(0.01), loss="categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=20, validation_data=(x_val, y_val), verbose=0)
""",
        data="three-classes",
    )

    def check(
        self, setup: Setup, contract: Contract, code: OwnCode, replay: Replay, room: Room | None
    ) -> Cleared | NotApplicable | Suspect:
        own = setup.loss.custom
        if not (own and _cuts(code, setup.loss.name)) and (own or setup.loss.name not in HINGES):
            return NotApplicable("the loss is not one of a margin")
        if not paired(setup, contract):
            return NotApplicable(UNPAIRED)
        loss = replay.evaluated_loss
        if loss != 0 or not replay.gradient_zero:
            return Cleared(f"rows are still inside the margin: the loss is {loss:.3g}", loss, 0.0)
        if not np.isfinite(replay.loss_change) or replay.loss_change == 0:
            return NotApplicable("the loss does not react to other outputs: see loss-ignores-predictions")
        finished = not own and room is not None and not room.exists
        severity: Severity = "note" if finished else "warning"
        return Suspect(
            message="the loss is exactly 0: every row is past the margin",
            confidence="proven",
            severity=severity,
            location=setup.loss_location("max(0, margin - distance)"),
            evidence=(
                Evidence(
                    measure="rows-inside-the-margin",
                    text=f"none of {len(replay.train_outputs)} recorded rows is inside the margin; the gradient is 0",
                    value=0.0,
                    of=len(replay.train_outputs),
                ),
            ),
            scope={"loss": setup.loss.name},
            conclusion="max(0, z) and its slope are 0 for z < 0, so these rows cannot move a weight",
            leads_to=("loss-ignores-predictions", "learning-rate-too-low", "too-few-updates", "vanishing-gradient"),
            impairs=False,
        )


def _cuts(code: OwnCode, name: str) -> bool:
    """Whether the source of a loss of one's own cuts a value off at 0."""
    functions = [node for _, parsed in code.trees for node in functions_named(parsed, name)]
    return any(
        (called in CUTTING and any(isinstance(a, ast.Constant) and a.value == 0 for a in call.args)) or called == "relu"
        for node in functions
        for called, call in calls_in(node)
    )
