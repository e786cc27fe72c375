"""NUM101: log 0, a root of 0 or 0 / 0 in code of one's own."""

from __future__ import annotations

import numpy as np

from unstuck.experiments.interventions.loss import SetLoss
from unstuck.finding import Evidence, Fix
from unstuck.measure.code.undefined import Undefined
from unstuck.measure.contract import Contract, suited_loss
from unstuck.measure.data import Data
from unstuck.measure.replay import Replay
from unstuck.measure.seen import gathered
from unstuck.measure.setup import Setup
from unstuck.measure.task import Task
from unstuck.measure.training.curve import Curve
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect

OVERFLOWING = 1e6
"""Outputs beyond this may overflow in a square or an exponential (float32 ends at 3e38, exp at 88), which is another
matter; below it, a loss that is not a number is undefined, not too large."""
GROWN = 10.0
"""Growth of the loss over its start before it left the numbers; beyond it, the steps are too long (as in
diverging-loss)."""


class UndefinedOperation(Rule):
    """
    What it finds:
    A loss, layer or activation of one's own whose value or slope is not a number for numbers that are fine: log(0),
    log of a negative number, 0 / 0, the slope of sqrt at 0.

    Why training stops:
    One row for which the loss or its slope is NaN makes the gradient of the whole batch NaN, and the update carries
    it into every weight. `where(x > 0, log(x), 0)` does not help: the branch that is not taken is derived too, and
    infinity times zero is NaN.

    What you see:
    A loss that falls well for many steps, then NaN at once, without growing before.

    How it is proven:
    The recorded weights are run again on recorded rows: a loss, a layer or a gradient that is not a number while
    weights and rows are. The operations without a guard are looked up in the source. Then the network trains with
    Keras's own loss in place of it.

    When to ignore it:
    When the loss grew before: then steps are too long.

    References:
    Stack Overflow questions 33712178, 40050397; JAX FAQ, "Gradients contain NaN where using where".
    """

    code = "NUM101"
    severity = "error"
    sick = Example(
        """
def entropy(y_true, y_pred):
    ones = y_true * keras.ops.log(y_pred)
    return -keras.ops.mean(ones + (1 - y_true) * keras.ops.log(1 - y_pred), axis=-1)

model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.Adam(0.03), loss=entropy)
model.fit(x, y.reshape(-1, 1), validation_data=(x_val, y_val.reshape(-1, 1)), epochs=30, verbose=0)
"""
    )
    healthy = Example(
        """
def entropy(y_true, y_pred):
    y_pred = keras.ops.clip(y_pred, 1e-7, 1 - 1e-7)
    ones = y_true * keras.ops.log(y_pred + 1e-7)
    return -keras.ops.mean(ones + (1 - y_true) * keras.ops.log(1 - y_pred + 1e-7), axis=-1)

model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.Adam(0.03), loss=entropy)
model.fit(x, y.reshape(-1, 1), validation_data=(x_val, y_val.reshape(-1, 1)), epochs=30, verbose=0)
"""
    )

    def check(
        self,
        setup: Setup,
        curve: Curve,
        contract: Contract,
        undefined: Undefined,
        replay: Replay | None,
        data: Data | None,
        task: Task | None,
    ) -> Judgement:
        if data is not None and not all(np.isfinite(a).all() for a in (*data.x, data.y) if a.dtype.kind == "f"):
            return NotApplicable("inputs or targets hold values that are not finite")
        spoilt = replay is not None and not all(v.finite for v in replay.last.variables)
        if curve.non_finite_step is None and not spoilt:
            return Cleared("losses and weights stayed finite")
        if not undefined.own:
            return NotApplicable("loss, layers and activations are Keras's own, which guard their logarithms")
        shown = _shown(curve, replay)
        finite = curve.losses[np.isfinite(curve.losses)]
        grew = float(np.abs(finite).max() / abs(finite[0])) if len(finite) and finite[0] else 0.0
        if shown is None and (not undefined.operations or grew > GROWN):
            return Cleared(f"the loss grew to {grew:.2g} times its start before it left the numbers", grew, GROWN)
        first = next(iter(undefined.operations), None)
        name, from_logits = suited_loss(setup, contract, task, data)
        return Suspect(
            message=f"{first.name} in {undefined.own[0]} is undefined for numbers that occur"
            if first
            else f"{undefined.own[0]} is not a number for numbers that are fine",
            confidence="proven" if shown else "likely",
            location=first.location if first else setup.loss_location("not a number"),
            related=tuple(other.location for other in undefined.operations[1:]),
            evidence=gathered(shown, _course(curve, grew)),
            cures=(SetLoss(name, from_logits),) if setup.loss.custom else (),
            conclusion="weights, rows and outputs are finite numbers of ordinary size, the loss or its slope is not"
            if shown
            else "",
            fix=Fix(
                title=f"keep the argument of {first.name} away from the edge, or use Keras's own {name}",
                applicability="suggested" if first.edit else "sketch",
                edits=tuple(op.edit for op in undefined.operations if op.edit is not None),
            )
            if first
            else None,
            leads_to=(
                "learning-rate-too-high",
                "diverging-loss",
                "swallowed-nan",
                "dying-relu",
                "momentum-oscillation",
            ),
        )


def _shown(curve: Curve, replay: Replay | None) -> Evidence | None:
    """A snapshot at which finite weights give a loss or a gradient that is not a number."""
    if replay is None:
        return None
    works = any(np.isfinite(m.loss) for m in replay.moments)
    at_once = curve.non_finite_step == 1
    for moment in replay.moments if works or at_once else ():
        sound = all(v.finite for v in moment.variables) and all(
            layer.finite and max(abs(layer.minimum), abs(layer.maximum)) < OVERFLOWING for layer in moment.layers
        )
        if not sound or not moment.layers:
            continue
        bad = sum(not np.isfinite(v.gradient) for v in moment.variables)
        if bad or not np.isfinite(moment.loss):
            what = "the loss is not a number" if not np.isfinite(moment.loss) else f"the loss is {moment.loss:.3g}"
            return Evidence(
                measure="gradients-not-finite",
                value=bad,
                of=len(moment.variables),
                text=f"with the weights of step {moment.step}, all finite, {what} and {bad} of "
                f"{len(moment.variables)} gradients are not",
            )
    return None


def _course(curve: Curve, grew: float) -> Evidence | None:
    if curve.non_finite_step is None:
        return None
    return Evidence(
        measure="non-finite-step",
        value=curve.non_finite_step,
        text=f"the loss is not a number from step {curve.non_finite_step}; before, it was at most {grew:.2g} times its "
        "start",
    )
