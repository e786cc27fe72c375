"""ACT108: a hidden activation that grows faster than what it is given."""

from __future__ import annotations

from unstuck.experiments.interventions.activations import ReplaceActivations
from unstuck.experiments.interventions.learning_rate import ScaleLearningRate
from unstuck.finding import Evidence
from unstuck.measure.replay import Replay
from unstuck.measure.room import Room
from unstuck.measure.seen import first_non_finite, gathered
from unstuck.measure.setup import Layer, Setup
from unstuck.measure.training.curve import Curve
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect

EXPLODING = ("exponential",)


class ExplodingActivation(Rule):
    """
    What it finds:
    Hidden layers with the exponential as their activation, in a network that diverges or learns less than the data
    allow.

    Why training stops:
    exp(x) is its own slope: what is large gets a large gradient and gets larger. Two such layers are exp(exp(x)), which
    leaves the numbers of float32 for x above 4.5; the loss is NaN in the first steps.

    What you see:
    NaN at once, or a loss that jumps by orders of magnitude.

    How it is proven:
    The largest output of the layers is measured. Then they get ReLU, from the same seeds; a lower rate is tried beside
    it.

    When to ignore it:
    When the network learns: such runs are cleared. In the output layer the exponential is right for rates and counts.

    References:
    keras/src/activations/activations.py (exponential); Goldberg 1991, "What Every Computer Scientist Should Know About
    Floating-Point Arithmetic", for the range of float32.
    """

    code = "ACT108"
    severity = "error"
    echo_of = ("dying-relu",)
    sick = Example(
        """
model = keras.Sequential([
    keras.layers.Dense(32, activation="exponential"),
    keras.layers.Dense(32, activation="exponential"),
    keras.layers.Dense(32, activation="exponential"),
    keras.layers.Dense(3, activation="softmax"),
])
model.compile("adam", loss="sparse_categorical_crossentropy")
model.fit(x, y, validation_data=(x_val, y_val), epochs=10, verbose=0)
""",
        data="three-classes",
    )
    healthy = Example(
        """
model = keras.Sequential([
    keras.layers.Dense(32, activation="elu"),
    keras.layers.Dense(32, activation="elu"),
    keras.layers.Dense(3, activation="softmax"),
])
model.compile(keras.optimizers.Adam(0.01), loss="sparse_categorical_crossentropy")
model.fit(x, y, validation_data=(x_val, y_val), epochs=20, verbose=0)
""",
        data="three-classes",
    )

    def check(self, setup: Setup, curve: Curve, replay: Replay | None, room: Room | None) -> Judgement:
        found = [layer for layer in setup.before_head if layer.builtin and layer.activation in EXPLODING]
        if not found:
            return NotApplicable("no hidden layer has an activation that grows faster than its input")
        if not curve.diverged and room is not None and not room.exists:
            return Cleared("the network scores as well as other learners")
        first = found[0]
        return Suspect(
            message=f"{first.activation} in the hidden layer '{first.name}' blows up what it passes on",
            confidence="likely" if curve.diverged else "possible",
            location=setup.layer_location(first, "activation", 1 if first.kind == "Dense" else None, "blows up"),
            related=tuple(setup.layer_location(one, "activation") for one in found[1:]),
            evidence=gathered(
                Evidence(
                    measure="exploding-layers",
                    value=len(found),
                    text=f"{len(found)} hidden layer{'s end' if len(found) > 1 else ' ends'} in {first.activation}",
                ),
                _largest(replay, found),
                first_non_finite(curve),
            ),
            cures=(ReplaceActivations("relu", "he_normal", of=EXPLODING),),
            rivals=(ScaleLearningRate(0.1),),
            leads_to=("diverging-loss", "learning-rate-too-high", "unscaled-inputs", "undefined-operation"),
        )


def _largest(replay: Replay | None, layers: list[Layer]) -> Evidence | None:
    largest = replay.largest_output(layer.name for layer in layers) if replay is not None else 0.0
    if not largest:
        return None
    return Evidence(measure="largest-output", value=largest, text=f"the largest output of these is {largest:.3g}")
