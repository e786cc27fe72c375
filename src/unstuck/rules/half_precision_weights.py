"""NUM104: weights kept in 16 bits."""

from __future__ import annotations

from unstuck.experiments.interventions.precision import FullPrecision
from unstuck.finding import Evidence
from unstuck.measure.replay import Replay
from unstuck.measure.seen import gathered
from unstuck.measure.setup import Setup
from unstuck.measure.training.curve import Curve
from unstuck.rules.rule import Example, Judgement, NotApplicable, Rule, Suspect

HALF = {"float16": 11, "bfloat16": 8}
"""Policies that keep weights in 16 bits, with the bits of their mantissa. Mixed policies keep weights in float32."""
USUAL_UPDATE = 1e-3
"""A step usually moves a weight by a thousandth of its size (CS231n, "Ratio of weights:updates")."""


class HalfPrecisionWeights(Rule):
    """
    What it finds:
    Layers whose weights, not only their arithmetic, are float16 or bfloat16, in a run that does not learn what it
    could.

    Why training stops:
    float16 keeps three decimal digits and ends at 65504 and 6e-8; bfloat16 keeps two. Updates smaller than half a digit
    of the weight are rounded away; squared gradients in Adam underflow to 0, what is left to divide by is the epsilon,
    1e-7, and the step explodes; probabilities near 1 are 1 and their logarithm infinite.

    What you see:
    NaN, weights that jump, or a loss that stops early. PyTorch's binary cross-entropy refuses half precision.

    How it is proven:
    The dtype of each layer is recorded. Then the same network trains in float32, from the same seeds.

    When to ignore it:
    At inference, and when it learns.

    References:
    Micikevicius et al. 2018, "Mixed Precision Training"; keras/src/dtype_policies/dtype_policy.py; keras-team/keras
    issue 19244.
    """

    code = "NUM104"
    severity = "error"
    sick = Example(
        """
model = keras.Sequential([
    keras.Input((13,)),
    keras.layers.Dense(32, activation="relu", dtype="float16"),
    keras.layers.Dense(32, activation="relu", dtype="float16"),
    keras.layers.Dense(3, activation="softmax", dtype="float16"),
])
model.compile(keras.optimizers.Adam(0.01), loss="sparse_categorical_crossentropy")
model.fit(x, y, validation_data=(x_val, y_val), epochs=20, verbose=0)
""",
        data="three-classes",
    )
    healthy = Example(
        """
model = keras.Sequential([
    keras.Input((13,)),
    keras.layers.Dense(32, activation="relu", dtype="mixed_bfloat16"),
    keras.layers.Dense(32, activation="relu", dtype="mixed_bfloat16"),
    keras.layers.Dense(3, activation="softmax"),
])
model.compile(keras.optimizers.Adam(0.01), loss="sparse_categorical_crossentropy")
model.fit(x, y, validation_data=(x_val, y_val), epochs=20, verbose=0)
""",
        data="three-classes",
    )

    def check(self, setup: Setup, curve: Curve | None, replay: Replay | None) -> Judgement:
        half = [layer for layer in setup.layers if layer.params and layer.precision in HALF]
        if not half:
            return NotApplicable("no layer keeps its weights in 16 bits")
        kind = half[0].precision
        lost = sum(not v.finite for v in replay.last.variables) if replay is not None else 0
        return Suspect(
            message=f"{len(half)} layer{'s keep' if len(half) > 1 else ' keeps'} weights in {kind}",
            location=setup.layer_location(half[0], "dtype", None, kind),
            related=tuple(setup.layer_location(layer, "dtype", None, kind) for layer in half[1:]),
            evidence=gathered(
                Evidence(
                    measure="mantissa-bits",
                    value=HALF[kind],
                    expected=24,
                    text=f"{kind} keeps {HALF[kind]} bits: updates below {2.0 ** -(HALF[kind] + 1):.1g} of a weight "
                    f"are rounded away; {USUAL_UPDATE:g} is usual",
                ),
                Evidence(measure="weight-arrays-not-finite", value=lost, text=f"{lost} weight arrays hold NaN")
                if lost
                else None,
                Evidence(
                    measure="non-finite-step",
                    value=curve.non_finite_step,
                    text=f"the loss is not a number from step {curve.non_finite_step}",
                )
                if curve is not None and curve.non_finite_step is not None
                else None,
            ),
            cures=(FullPrecision(),),
            leads_to=("diverging-loss", "learning-rate-too-high", "swallowed-nan", "dying-relu", "undefined-operation"),
        )
