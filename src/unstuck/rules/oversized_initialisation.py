"""ACT203: weights that start so large that nothing after them works."""

from __future__ import annotations

from unstuck.experiments.interventions.initialise import Reinitialise, initializer_name
from unstuck.experiments.interventions.learning_rate import ScaleLearningRate
from unstuck.finding import Evidence
from unstuck.measure.network.kernels import Kernels
from unstuck.measure.replay import Replay
from unstuck.measure.seen import gathered
from unstuck.measure.setup import Setup
from unstuck.measure.skill import Skill
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect

LARGE = 4.0
"""Root mean square of a kernel times the square root of its inputs: what one layer multiplies the spread of its inputs
by. Glorot's initialiser gives 0.8 to 1.4, He's 1.4, LeCun's and orthogonal ones 1 or less."""
HIGH = 10.0
"""Loss at the start over that of the best constant answer; a fresh network begins within 1 to 2 of it."""


class OversizedInitialisation(Rule):
    """
    What it finds:
    A kernel that begins four times larger, or more, than one that keeps the spread of its inputs.

    Why training stops:
    A unit sums up all its inputs, so its spread is the size of the weights times the square root of their number. With
    weights of standard deviation 1 over 784 inputs that is 28 a layer, and layers multiply: sigmoid and tanh start
    pinned to their bounds, softmax starts certain and wrong, and gradients explode or vanish.

    What you see:
    A first loss of ten to a thousand times what a guess would cost, and a fall that never gets through.

    How it is proven:
    The recorded initial kernels are measured. Then training starts from Glorot's initialiser.

    When to ignore it:
    When inputs are tiny, or when it learns all the same.

    References:
    Glorot and Bengio 2010, "Understanding the difficulty of training deep feedforward neural networks"; He et al. 2015,
    "Delving Deep into Rectifiers"; mukul-rathi/deep-learning-tutorials issue 2.
    """

    code = "ACT203"
    severity = "error"
    echo_of = ("unscaled-inputs",)
    sick = Example(
        """
wide = keras.initializers.RandomNormal(stddev=5.0)
model = keras.Sequential([
    keras.Input((64,)),
    keras.layers.Dense(32, activation="relu", kernel_initializer=wide),
    keras.layers.Dense(32, activation="relu", kernel_initializer=wide),
    keras.layers.Dense(10, activation="softmax", kernel_initializer=wide),
])
model.compile("adam", loss="sparse_categorical_crossentropy")
model.fit(x.reshape(-1, 64), y, validation_data=(x_val.reshape(-1, 64), y_val), epochs=10, verbose=0)
""",
        data="images",
    )
    healthy = Example(
        """
model = keras.Sequential([
    keras.Input((64,)),
    keras.layers.Dense(32, activation="relu", kernel_initializer="he_normal"),
    keras.layers.Dense(32, activation="relu", kernel_initializer="he_normal"),
    keras.layers.Dense(10, activation="softmax"),
])
model.compile("adam", loss="sparse_categorical_crossentropy")
model.fit(x.reshape(-1, 64), y, validation_data=(x_val.reshape(-1, 64), y_val), epochs=10, verbose=0)
""",
        data="images",
    )

    def check(self, setup: Setup, kernels: Kernels, replay: Replay | None, skill: Skill | None) -> Judgement:
        if not kernels.kernels:
            return NotApplicable("no layer with a kernel")
        worst = max(kernels.kernels, key=lambda kernel: kernel.gain)
        if worst.gain < LARGE:
            return Cleared(f"no kernel multiplies the spread by more than {worst.gain:.2g}", worst.gain, LARGE)
        large = [kernel for kernel in kernels.kernels if kernel.gain >= LARGE]
        layers = {layer.name: layer for layer in setup.layers}
        layer = layers.get(worst.layer)
        chosen = initializer_name(layer.config.get("kernel_initializer")) if layer else ""
        return Suspect(
            message=f"the kernel of '{worst.layer}' starts {worst.gain:.2g} times too large"
            + (f" ({chosen})" if chosen else ""),
            location=setup.layer_location(layer, "kernel_initializer", None, "starts too large") if layer else None,
            related=tuple(
                setup.layer_location(layers[k.layer], "kernel_initializer", None, "and here")
                for k in large
                if k is not worst and k.layer in layers
            ),
            evidence=gathered(
                Evidence(
                    measure="initial-gain",
                    value=worst.gain,
                    expected=1.0,
                    text=f"'{worst.layer}' multiplies the spread of its inputs by {worst.gain:.2g} at the start; "
                    f"{len(large)} of {len(kernels.kernels)} kernels by {LARGE:g} or more",
                ),
                _first_loss(replay, skill),
            ),
            cures=(Reinitialise("glorot_uniform"),),
            rivals=(ScaleLearningRate(0.1), ScaleLearningRate(10)),
            leads_to=(
                "saturated-activation",
                "dying-relu",
                "dead-relu-output",
                "vanishing-gradient",
                "learning-rate-too-low",
                "learning-rate-too-high",
                "diverging-loss",
                "saturated-loss-clip",
            ),
        )


def _first_loss(replay: Replay | None, skill: Skill | None) -> Evidence | None:
    if replay is None or skill is None or not skill.constant_loss > 0:
        return None
    ratio = replay.first.loss / skill.constant_loss
    if not ratio >= HIGH:
        return None
    text = f"the loss starts at {replay.first.loss:.3g}; the best constant answer has {skill.constant_loss:.3g}"
    return Evidence(measure="first-over-constant-loss", value=ratio, expected=1.0, text=text)
