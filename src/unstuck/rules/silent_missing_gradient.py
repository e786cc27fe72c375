"""API110: on JAX a missing gradient is a silent zero."""

from __future__ import annotations

from unstuck.finding import Evidence
from unstuck.measure.network.moves import Moves
from unstuck.measure.replay import Replay
from unstuck.measure.seen import gathered, standstill, steady_loss
from unstuck.measure.setup import Setup
from unstuck.measure.training.curve import Curve
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect


class SilentMissingGradient(Rule):
    """
    What it finds:
    A run on JAX in which the gradient of every weight is exactly 0 from the first step to the last.

    Why training stops:
    jax.grad returns zeros where nothing connects the loss with a weight; TensorFlow and PyTorch raise in most such
    cases. The optimiser is given zeros and leaves the weights where they are.

    What you see:
    A loss that does not change, and no warning. The same script stops with "No gradients provided for any variable" on
    TensorFlow, or "does not require grad" on PyTorch.

    How it is proven:
    The gradient of each variable is taken on the recorded rows with the first and the last weights; it is 0, and no
    weight moved.

    When to ignore it:
    Never. Where another rule names the cause, this one is listed below it.

    References:
    google-deepmind/dm-haiku issue 442; keras-team/keras issue 21489; keras/src/backend/jax/trainer.py.
    """

    code = "API110"
    severity = "error"
    echo_of = (
        "softmax-on-one-unit",
        "broadcast-target",
        "exploding-activation",
        "unscaled-inputs",
        "rescaled-twice",
        "oversized-initialisation",
        "unbounded-recurrent-activation",
        "saturated-loss-clip",
        "categorical-loss-on-one-unit",
        "missing-loss",
        "zero-sample-weights",
        "everything-frozen",
        "loss-ignores-predictions",
        "non-differentiable-operation",
        "cut-graph",
        "everything-masked",
        "all-labels-ignored",
        "dead-relu-output",
        "dying-relu",
        "empty-target-rows",
        "saturated-activation",
        "labels-out-of-range",
        "zero-initialised-kernel",
        "blank-inputs",
        "constant-target",
        "relu-on-class-output",
        "bounded-output",
    )
    sick = Example(
        """
inputs = keras.Input((30,))
hidden = keras.layers.Dense(16, activation="relu")(inputs)
outputs = keras.ops.round(keras.layers.Dense(1, activation="sigmoid")(hidden))
model = keras.Model(inputs, outputs)
model.compile("adam", loss="mse")
model.fit(x, y, validation_data=(x_val, y_val), epochs=4, verbose=0)
""",
        backends=("jax",),
    )
    healthy = Example(
        """
inputs = keras.Input((30,))
hidden = keras.layers.Dense(16, activation="relu")(inputs)
outputs = keras.layers.Dense(1, activation="sigmoid")(hidden)
model = keras.Model(inputs, outputs)
model.compile(keras.optimizers.Adam(0.01), loss="mse")
model.fit(x, y, validation_data=(x_val, y_val), epochs=15, verbose=0)
"""
    )

    def check(self, setup: Setup, replay: Replay | None, moves: Moves, curve: Curve | None) -> Judgement:
        if setup.backend != "jax":
            return NotApplicable(f"{setup.backend} raises when no gradient reaches any weight")
        if not moves.trained or not moves.steps:
            return NotApplicable("no weight is trained")
        if len(moves.still) < len(moves.trained):
            return Cleared("weights moved, so a gradient reached them", len(moves.still), len(moves.trained))
        gradients = [v.gradient for m in (replay.first, replay.last) for v in m.variables] if replay else []
        if any(gradient != 0 for gradient in gradients):
            return Cleared("the gradient is not 0, although no weight moved")
        return Suspect(
            message="no gradient reaches any weight, and JAX says nothing",
            confidence="proven" if gradients else "likely",
            location=setup.fit_location(),
            evidence=gathered(
                standstill(replay)
                or Evidence(
                    measure="steps-without-weight-change",
                    text=f"no weight changed in {moves.steps} steps",
                    value=moves.steps,
                ),
                steady_loss(curve.epochs) if curve is not None else None,
            ),
            conclusion="a gradient of 0 on every recorded row moves nothing, however long it trains"
            if gradients
            else "",
            leads_to=("learning-rate-too-low", "vanishing-gradient", "too-few-updates"),
        )
