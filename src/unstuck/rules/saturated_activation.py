"""ACT107: hidden sigmoid or tanh units pinned to their bounds."""

from __future__ import annotations

from unstuck.experiments.interventions.activations import RECURRENT, ReplaceActivations
from unstuck.experiments.interventions.learning_rate import ScaleLearningRate
from unstuck.finding import Evidence
from unstuck.measure.replay import Replay
from unstuck.measure.setup import Setup
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect

BOUNDED = ("sigmoid", "tanh", "hard_sigmoid")
PINNED = 0.5
"""Share of outputs within 1 % of a bound, where the slope is under 4 % of the largest (sigmoid: 0.0099 of 0.25; tanh:
0.02 of 1). Fresh layers on standardised inputs show 0.01 or less (measured on the
examples); more than half means that most of the
layer is deaf."""


class SaturatedActivation(Rule):
    """
    What it finds:
    A hidden sigmoid or tanh layer with more than half of its outputs within 1 % of a bound.

    Why training stops:
    Far from zero, sigmoid and tanh are flat. A unit there passes on almost no gradient, so its weights stay, and it
    answers like a switch that no row flips. Inputs or weights that are too large put units there before the first
    step; steps that are too large drive them there later.

    What you see:
    A loss that is flat, often at the constant answer's value, from the first steps.

    How it is proven:
    Initial and final weights are run on recorded rows and outputs near the bounds are counted. Then the activation
    becomes ReLU from the same seeds.

    When to ignore it:
    When the network has learnt: units that decide clearly end near a bound, and that is no fault.

    References:
    Glorot and Bengio 2010, "Understanding the difficulty of training deep feedforward neural networks"; LeCun et al.
    1998, "Efficient BackProp"; catalogue ACT107.
    """

    code = "ACT107"
    severity = "error"
    echo_of = ("unscaled-inputs", "oversized-initialisation", "rescaled-twice")
    sick = Example(
        """
wide = keras.initializers.RandomNormal(stddev=30.0)
model = keras.Sequential([
    keras.layers.Dense(16, activation="tanh", kernel_initializer=wide),
    keras.layers.Dense(16, activation="tanh", kernel_initializer=wide),
    keras.layers.Dense(3, activation="softmax"),
])
model.compile(keras.optimizers.Adam(0.003), loss="sparse_categorical_crossentropy")
model.fit(x, y, validation_data=(x_val, y_val), epochs=20, verbose=0)
""",
        data="three-classes",
    )
    healthy = Example(
        """
model = keras.Sequential([
    keras.layers.Dense(16, activation="tanh"),
    keras.layers.Dense(16, activation="tanh"),
    keras.layers.Dense(3, activation="softmax"),
])
model.compile(keras.optimizers.Adam(0.003), loss="sparse_categorical_crossentropy")
model.fit(x, y, validation_data=(x_val, y_val), epochs=20, verbose=0)
""",
        data="three-classes",
    )

    def check(self, setup: Setup, replay: Replay) -> Judgement:
        bounded = [layer for layer in setup.before_head if layer.activation in BOUNDED and layer.kind not in RECURRENT]
        if not bounded:
            return NotApplicable("no hidden sigmoid or tanh layer")
        shares = {layer.name: state.saturated_share for layer in bounded if (state := replay.layer(layer.name))}
        if not shares:
            return NotApplicable("the outputs of the hidden layers could not be replayed")
        layer = max((one for one in bounded if one.name in shares), key=lambda one: shares[one.name])
        share = shares[layer.name]
        if share < PINNED:
            return Cleared(f"at most {share:.0%} of a hidden layer's outputs are at a bound", share, PINNED)
        start = replay.layer(layer.name, first=True)
        before = start.saturated_share if start else float("nan")
        early = before >= PINNED
        return Suspect(
            message=f"{share:.0%} of the outputs of '{layer.name}' are pinned to a bound of {layer.activation}",
            location=setup.layer_location(layer, "activation", 1, "flat here"),
            evidence=(
                Evidence(
                    measure="outputs-at-bound",
                    value=share,
                    expected=PINNED,
                    text=f"{share:.0%} of the outputs of '{layer.name}' are within 1 % of a bound",
                ),
                Evidence(
                    measure="outputs-at-bound-at-start",
                    value=before,
                    text=f"before the first step it was {before:.0%}: "
                    + ("inputs or weights are too large" if early else "training drove them there"),
                ),
            ),
            cures=(ReplaceActivations("relu", "he_normal", of=tuple(sorted({one.activation for one in bounded}))),),
            rivals=(ScaleLearningRate(10),) if early else (),
            leads_to=("learning-rate-too-low", "vanishing-gradient") if early else (),
        )
