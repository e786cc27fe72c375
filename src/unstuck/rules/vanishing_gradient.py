"""ACT103: the gradient fades on its way through sigmoid or tanh layers."""

from __future__ import annotations

from unstuck.experiments.interventions.activations import RECURRENT, ReplaceActivations
from unstuck.experiments.interventions.learning_rate import ScaleLearningRate
from unstuck.finding import Evidence
from unstuck.measure.replay import Replay
from unstuck.measure.setup import Layer, Setup
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect

SQUASHING = ("sigmoid", "tanh", "hard_sigmoid", "softsign")
SEVERAL = 3
"""With one or two such layers the product of slopes stays above 1/16 (the slope of a sigmoid is at most 1/4)."""
FADED = 1e-4
"""First over last kernel gradient. Four sigmoid layers with Glorot weights give about 1/200, which Adam and batch
normalisation cope with; 1e-4 leaves the first layers standing still for thousands of steps (Glorot and Bengio 2010)."""


class VanishingGradient(Rule):
    """
    What it finds:
    Three or more hidden sigmoid or tanh layers through which the gradient shrinks ten-thousandfold before the first
    kernel.

    Why training stops:
    Each sigmoid layer multiplies the gradient by its slope, at most 1/4, and by the weights. After several layers next
    to nothing is left, so the first layers keep their random weights and what they pass on says little about the rows.

    What you see:
    A plateau from the first epoch at the constant answer's loss. The last layers move, the first ones do not.

    How it is proven:
    The gradients of all kernels are measured at the initial weights. Then the hidden activations become ReLU with He
    initialisation, from the same seeds; a larger learning rate is tried beside it.

    When to ignore it:
    When batch normalisation, residual connections or enough epochs get the network to learn anyway.

    References:
    Glorot and Bengio 2010, "Understanding the difficulty of training deep feedforward neural networks"; He et al. 2015,
    "Delving Deep into Rectifiers"; Stack Overflow questions 52800582, 49583466.
    """

    code = "ACT103"
    severity = "error"
    echo_of = (
        "zero-initialised-kernel",
        "unscaled-inputs",
        "oversized-initialisation",
        "saturated-activation",
        "everything-frozen",
    )
    sick = Example(
        """
hidden = [keras.layers.Dense(16, activation="sigmoid") for _ in range(10)]
model = keras.Sequential([*hidden, keras.layers.Dense(3, activation="softmax")])
model.compile("adam", loss="sparse_categorical_crossentropy")
model.fit(x, y, validation_data=(x_val, y_val), epochs=60, verbose=0)
""",
        data="three-classes",
    )
    healthy = Example(
        """
hidden = [keras.layers.Dense(16, activation="relu", kernel_initializer="he_normal") for _ in range(10)]
model = keras.Sequential([*hidden, keras.layers.Dense(3, activation="softmax")])
model.compile("adam", loss="sparse_categorical_crossentropy")
model.fit(x, y, validation_data=(x_val, y_val), epochs=10, verbose=0)
""",
        data="three-classes",
    )

    def check(self, setup: Setup, replay: Replay) -> Judgement:
        squashing = [
            layer for layer in setup.before_head if layer.activation in SQUASHING and layer.kind not in RECURRENT
        ]
        if len(squashing) < SEVERAL:
            return NotApplicable(f"{len(squashing)} hidden sigmoid or tanh layers; it takes {SEVERAL}")
        gradients = replay.first.gradients("kernel")
        if len(gradients) < 2 or not gradients[-1] > 0:
            return NotApplicable("the gradient of the last kernel is 0 or unknown, so there is nothing to compare with")
        ratio = gradients[0] / gradients[-1]
        if not ratio < FADED:
            return Cleared(f"the first kernel's gradient is {ratio:.2g} of the last one's", ratio, FADED)
        kinds = " and ".join(_kinds(squashing))
        return Suspect(
            message=f"the gradient vanishes in {len(squashing)} {kinds} layers",
            location=setup.layer_location(squashing[0], "activation", 1, f"one of {len(squashing)}"),
            evidence=(
                Evidence(
                    measure="gradient-first-over-last",
                    value=ratio,
                    expected=FADED,
                    text=f"the first kernel's gradient is {ratio:.1e} of the last one's at the start",
                ),
                Evidence(
                    measure="squashing-layers",
                    value=len(squashing),
                    text=f"{len(squashing)} hidden layers use {kinds}; each passes on at most "
                    f"{'1/4' if kinds == 'sigmoid' else 'its slope'} of what it gets",
                ),
            ),
            cures=(ReplaceActivations("relu", "he_normal", of=_kinds(squashing)),),
            rivals=(ScaleLearningRate(10), ScaleLearningRate(0.1)),
            leads_to=("learning-rate-too-low",),
        )


def _kinds(layers: list[Layer]) -> tuple[str, ...]:
    return tuple(sorted({layer.activation for layer in layers}))
