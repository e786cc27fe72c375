"""ACT101: hidden ReLU units that answer 0 for every row."""

from __future__ import annotations

from unstuck.experiments.intervention import Intervention
from unstuck.experiments.interventions.activations import ReplaceActivations
from unstuck.experiments.interventions.initialise import Reinitialise, initializer_name
from unstuck.finding import Confidence, Evidence
from unstuck.measure.replay import LayerState, Replay
from unstuck.measure.setup import Layer, Setup
from unstuck.measure.skill import Skill
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect

COMMON = 0.5
"""Under half of the units dead is what working ReLU networks show: half the outputs are off by design (Glorot, Bordes
and Bengio 2011), and wide layers keep units that no row ever uses."""
BLOCKED = 0.9
"""From here on too few units are left to carry the labels; a layer that is dead altogether passes no gradient."""


class DyingRelu(Rule):
    """
    What it finds:
    A hidden ReLU layer in which nine of ten units, or all, output 0 for every training row.

    Why training stops:
    A ReLU whose input is negative outputs 0 and has slope 0. A unit that is negative for every row gets no gradient,
    so nothing can bring it back. When a whole layer is dead, all layers before it stop as well. Only what lies behind
    still learns: the output's bias finds the best constant answer and stays there.

    What you see:
    The same answer for every row and a loss at the value of the constant answer: the variance of the targets, or the
    entropy of the labels (2.3026 for ten balanced classes). It is not zero: what is zero is the gradient.

    How it is proven:
    The final weights are run again on recorded rows and the units that never answer are counted, at the start too. Then
    the layer gets another activation, or the usual biases, from the same seeds. The finding is confirmed when the
    held-out score rises.

    When to ignore it:
    When the network scores as well as other learners do. Sparse layers are no fault.

    References:
    Lu, Shin, Su, Karniadakis 2020, "Dying ReLU and Initialization"; Glorot, Bordes, Bengio 2011, "Deep Sparse Rectifier
    Neural Networks"; keras-team/keras issues 7057, 3752, 13891.
    """

    code = "ACT101"
    severity = "error"
    echo_of = (
        "unscaled-inputs",
        "unscaled-targets",
        "oversized-initialisation",
        "zero-initialised-kernel",
        "weight-penalty-too-strong",
        "non-finite-inputs",
        "vanishing-gradient",
        "squashed-hidden-layer",
    )
    sick = Example(
        """
model = keras.Sequential([
    keras.layers.Dense(32, activation="relu", bias_initializer=keras.initializers.Constant(-10.0)),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile("adam", loss="binary_crossentropy")
model.fit(x, y, validation_data=(x_val, y_val), epochs=5, verbose=0)
"""
    )
    healthy = Example(
        """
model = keras.Sequential([
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile("adam", loss="binary_crossentropy")
model.fit(x, y, validation_data=(x_val, y_val), epochs=5, verbose=0)
"""
    )

    def check(self, setup: Setup, replay: Replay, skill: Skill | None) -> Judgement:
        relus = [layer for layer in setup.before_head if layer.activation == "relu"]
        if not relus:
            return NotApplicable("no hidden ReLU layer")
        seen = [(layer, state) for layer in relus if (state := replay.layer(layer.name)) is not None]
        if not seen:
            return NotApplicable("the outputs of the hidden layers could not be replayed")
        layer, state = max(seen, key=lambda pair: pair[1].dead_share)
        share = state.dead_share
        if share <= COMMON:
            return Cleared(f"at most {share:.0%} of the units of a hidden ReLU layer are dead", share, COMMON)
        return self._suspect(setup, replay, skill, layer, state)

    def _suspect(self, setup: Setup, replay: Replay, skill: Skill | None, layer: Layer, state: LayerState) -> Suspect:
        share, before = state.dead_share, replay.layer(layer.name, first=True)
        units = layer.units or 0
        count = f"{round(share * units)} of {units}" if units else f"{share:.0%}"
        evidence = [
            Evidence(
                measure="dead-units",
                value=share,
                expected=COMMON,
                text=f"{count} units of '{layer.name}' output 0 for every row",
            )
        ]
        if before is not None:
            evidence.append(
                Evidence(
                    measure="dead-units-at-start",
                    value=before.dead_share,
                    text=f"before the first step {before.dead_share:.0%} of them were dead",
                )
            )
        blocked = [v for v in replay.last.variables if v.path.endswith("kernel") and v.gradient == 0]
        kernels = [v for v in replay.last.variables if v.path.endswith("kernel")]
        if blocked:
            evidence.append(
                Evidence(
                    measure="kernels-without-gradient",
                    value=len(blocked),
                    of=len(kernels),
                    text=f"the gradient is exactly 0 for {len(blocked)} of {len(kernels)} kernels",
                )
            )
        if skill is not None and skill.constant_output:
            evidence.append(Evidence(measure="constant-answer", text="the network gives every row the same answer"))
        whole = "all" if share == 1 else f"{share:.0%} of the"
        confidence: Confidence = "likely" if share >= BLOCKED else "possible"
        return Suspect(
            message=f"{whole} ReLU units of '{layer.name}' are dead: they output 0 for every row",
            confidence=confidence,
            location=setup.layer_location(layer, "activation", 1, "always 0"),
            related=(setup.layer_location(layer, "bias_initializer", None, "starts here"),) if _odd_bias(layer) else (),
            evidence=tuple(evidence),
            cures=_cures(layer),
            rivals=(),
        )


def _odd_bias(layer: Layer) -> bool:
    return initializer_name(layer.config.get("bias_initializer")) not in ("zeros", "")


def _cures(layer: Layer) -> tuple[Intervention, ...]:
    leaky = ReplaceActivations("leaky_relu", "he_normal", of=("relu",))
    if not _odd_bias(layer):
        return (leaky, Reinitialise("he_normal"))
    return (Reinitialise("", bias="zeros"), Reinitialise("he_normal", bias="zeros"), leaky)
