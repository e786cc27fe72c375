"""OPT105: gradients clipped to next to nothing."""

from __future__ import annotations

import numpy as np

from unstuck.experiments.interventions.clipping import CLIPPING, RemoveClipping
from unstuck.experiments.interventions.learning_rate import ScaleLearningRate
from unstuck.finding import Evidence
from unstuck.measure.replay import Replay
from unstuck.measure.setup import Setup
from unstuck.measure.skill import Skill
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect

TINY = 1e-3
"""A bound below this is a thousandth of what is used: 1 for the norm, 0.5 for values (Pascanu et al. 2013)."""
SWALLOWED = 0.01
"""Bound over the largest gradient of plain gradient descent: less, and clipping divides the learning rate by 100 or
more."""
MOVED = 0.05
"""Way of a kernel over the fit, relative to its size; less is standing still (as in learning-rate-too-low)."""
AT_CHANCE = 0.2
EPSILON = 1e-7
"""Keras's default in the denominator of Adam."""
SCALED = frozenset({"adam", "adamw", "nadam", "adamax", "rmsprop", "adagrad", "adadelta"})
"""Optimisers that divide by the gradient's size, so that a bound cancels until it is near their epsilon."""


class OverClippedGradient(Rule):
    """
    What it finds:
    `clipnorm`, `clipvalue` or `global_clipnorm` so small that next to nothing of the gradient is left.

    Why training stops:
    Clipping bounds every step: under plain gradient descent a weight moves by at most the rate times the bound. Adam
    divides by the gradient's size, so a bound cancels out, until it is so small that the epsilon in the denominator,
    1e-7, is larger.

    What you see:
    A flat loss at its initial value. Raising the learning rate helps a little, and only in proportion.

    How it is proven:
    The bound is compared with the recorded gradients; how far the weights can get in so many steps follows by
    arithmetic. Then training runs without clipping, from the same seeds.

    When to ignore it:
    When the network learns: tight clipping with a large rate is a way to train, and so is clipping under Adam.

    References:
    Pascanu, Mikolov, Bengio 2013, "On the difficulty of training recurrent neural networks"; keras/src/optimizers/
    base_optimizer.py; tensorflow/tensorflow issue 33929.
    """

    code = "OPT105"
    severity = "error"
    echo_of = ("unscaled-targets", "unscaled-inputs")
    sick = Example(
        """
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(3, activation="softmax"),
])
model.compile(keras.optimizers.SGD(learning_rate=0.1, clipnorm=1e-6), loss="sparse_categorical_crossentropy")
model.fit(x, y, validation_data=(x_val, y_val), epochs=20, verbose=0)
""",
        data="three-classes",
    )
    healthy = Example(
        """
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(3, activation="softmax"),
])
model.compile(keras.optimizers.SGD(learning_rate=0.1, clipnorm=1.0), loss="sparse_categorical_crossentropy")
model.fit(x, y, validation_data=(x_val, y_val), epochs=20, verbose=0)
""",
        data="three-classes",
    )

    def check(self, setup: Setup, replay: Replay, skill: Skill | None) -> Judgement:
        config = setup.optimizer.config
        bounds = [(name, float(config[name])) for name in CLIPPING if config.get(name) is not None]
        if not bounds:
            return NotApplicable("the optimiser does not clip gradients")
        name, bound = bounds[0]
        largest = max((v.gradient for v in replay.first.variables if np.isfinite(v.gradient)), default=0.0)
        share = bound / largest if largest > 0 else float("inf")
        swallowed = setup.optimizer.kind not in SCALED and share < SWALLOWED
        if bound >= TINY and not swallowed:
            return Cleared(f"{name} is {bound:g}; the largest gradient at the start is {largest:.2g}", bound, TINY)
        reach = _reach(setup, replay, bound)
        proven = reach < MOVED and skill is not None and skill.train < AT_CHANCE
        return Suspect(
            message=f"{name}={bound:g} leaves next to nothing of the gradient",
            confidence="proven" if proven else "likely",
            location=setup.optimizer_location("clips to nothing"),
            evidence=(
                Evidence(
                    measure="clip-bound",
                    value=bound,
                    expected=TINY,
                    text=f"{name} is {bound:g}; the largest gradient at the start is {largest:.2g} "
                    "(root mean square over a variable)",
                ),
            ),
            cures=(RemoveClipping(),),
            rivals=(ScaleLearningRate(10),),
            conclusion=f"a weight moves by at most the rate times {_factor(setup, bound):.2g} a step: "
            f"{replay.last.step} steps reach {reach:.1%} of the smallest kernel's size, whatever the data"
            if proven
            else "",
            leads_to=("learning-rate-too-low", "too-few-updates"),
        )


def _factor(setup: Setup, bound: float) -> float:
    """The longest step in units of the rate."""
    optimizer = setup.optimizer
    if optimizer.kind in SCALED:
        return bound / float(optimizer.config.get("epsilon") or EPSILON)
    return bound / max(1 - optimizer.momentum, 1e-3)


def _reach(setup: Setup, replay: Replay, bound: float) -> float:
    """The furthest a kernel can get in this fit relative to the smallest one's size; infinite where it is not bounded.

    A gradient whose norm is bounded has no element beyond that bound, so one formula holds for norms and values.
    """
    rate, kind = setup.optimizer.learning_rate, setup.optimizer.kind
    sizes = [v.value for v in replay.first.variables if v.path.endswith("kernel")]
    known = kind in ("sgd", "adam", "adamw") and rate is not None and not setup.optimizer.schedule
    if not known or rate is None or not sizes or min(sizes) <= 0:
        return float("inf")
    return rate * _factor(setup, bound) * (replay.last.step - replay.first.step) / min(sizes)
