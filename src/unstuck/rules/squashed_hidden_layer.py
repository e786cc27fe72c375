"""ACT106: softmax or sigmoid where the network should pass on what it sees."""

from __future__ import annotations

from unstuck.experiments.interventions.activations import RECURRENT, ReplaceActivations
from unstuck.experiments.interventions.learning_rate import ScaleLearningRate
from unstuck.finding import Evidence
from unstuck.measure.replay import Replay
from unstuck.measure.seen import gathered
from unstuck.measure.setup import Layer, Setup
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect

SQUASHING = ("softmax", "sigmoid", "hard_sigmoid")
PLAIN = frozenset({"Dense", "Conv1D", "Conv2D", "Conv3D", "Activation", "Softmax"})
"""Attention and gates use softmax and sigmoid for what they are good at; they are other layers."""
MERGING = frozenset({"Multiply", "Dot", "Attention", "MultiHeadAttention"})
"""Where the model multiplies branches, a squashed one is a gate."""


class SquashedHiddenLayer(Rule):
    """
    What it finds:
    A hidden Dense or convolutional layer that ends in softmax or sigmoid, in a network that learns less than the data
    allow.

    Why training stops:
    The outputs of a softmax add up to 1: with 64 units each is about 1/64, differences between rows are smaller still,
    and one unit can only rise when others fall. A sigmoid passes on at most a quarter of the gradient and centres
    everything at 0.5. The layers behind get a faint copy of the row.

    What you see:
    Slow progress, or a plateau from the first epoch.

    How it is proven:
    The spread of the layer's outputs is measured at the start. Then it gets ReLU from the same seeds; a larger rate is
    tried beside it.

    When to ignore it:
    When the layer is a gate or a choice (attention, mixture of experts), or when the network learns.

    References:
    LeCun et al. 1998, "Efficient BackProp", section 4.4; Glorot and Bengio 2010, "Understanding the difficulty of
    training deep feedforward neural networks".
    """

    code = "ACT106"
    severity = "error"
    echo_of = ("vanishing-gradient", "saturated-activation", "unscaled-inputs", "too-few-updates")
    sick = Example(
        """
model = keras.Sequential([
    keras.layers.Flatten(),
    keras.layers.Dense(64, activation="softmax"),
    keras.layers.Dense(64, activation="softmax"),
    keras.layers.Dense(10, activation="softmax"),
])
model.compile("adam", loss="sparse_categorical_crossentropy")
model.fit(x, y, validation_data=(x_val, y_val), epochs=8, verbose=0)
""",
        data="images",
    )
    healthy = Example(
        """
model = keras.Sequential([
    keras.layers.Flatten(),
    keras.layers.Dense(64, activation="relu"),
    keras.layers.Dense(64, activation="relu"),
    keras.layers.Dense(10, activation="softmax"),
])
model.compile("adam", loss="sparse_categorical_crossentropy")
model.fit(x, y, validation_data=(x_val, y_val), epochs=8, verbose=0)
""",
        data="images",
    )

    def check(self, setup: Setup, replay: Replay | None) -> Judgement:
        hidden = setup.before_head
        squashed = [layer for layer in hidden if layer.kind in PLAIN and layer.activation in SQUASHING]
        if not squashed:
            return NotApplicable("no hidden layer ends in softmax or sigmoid")
        gates = [layer for layer in hidden if layer.kind in MERGING | RECURRENT or not layer.builtin]
        if gates:
            return Cleared(f"'{gates[0].name}' may use it as a gate")
        first = next((layer for layer in squashed if layer.activation == "softmax"), squashed[0])
        kinds = tuple(sorted({layer.activation for layer in squashed}))
        return Suspect(
            message=f"{first.activation} in the hidden layer '{first.name}' squashes what it passes on",
            confidence="likely" if "softmax" in kinds else "possible",
            location=setup.layer_location(first, "activation", 1 if first.kind == "Dense" else None, "squashes"),
            related=tuple(setup.layer_location(one, "activation") for one in squashed if one is not first),
            evidence=gathered(
                Evidence(
                    measure="squashed-layers",
                    value=len(squashed),
                    text=f"{len(squashed)} hidden layer{'s end' if len(squashed) > 1 else ' ends'} in "
                    f"{' or '.join(kinds)}",
                ),
                _faint(replay, first),
            ),
            cures=(ReplaceActivations("relu", "he_normal", of=kinds),),
            rivals=(ScaleLearningRate(10),),
            leads_to=("learning-rate-too-low",) if "softmax" in kinds else (),
        )


def _faint(replay: Replay | None, layer: Layer) -> Evidence | None:
    state = replay.layer(layer.name, first=True) if replay is not None else None
    if state is None:
        return None
    text = f"the outputs of '{layer.name}' differ between rows by {state.std:.2g} before the first step"
    return Evidence(measure="spread-over-rows", value=state.std, text=text)
