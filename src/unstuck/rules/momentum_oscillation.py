"""OPT104: so much momentum that the weights swing past every minimum."""

from __future__ import annotations

import numpy as np

from unstuck.experiments.interventions.learning_rate import ScaleLearningRate
from unstuck.experiments.interventions.optimiser import SetMomentum
from unstuck.finding import Evidence
from unstuck.measure.setup import Setup
from unstuck.measure.training.curve import Curve
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect

HEAVY = 0.95
"""Momentum m multiplies a steady step by 1/(1 - m): 10 at the usual 0.9, 20 here, 100 at 0.99 (Goh 2017)."""
REBOUND = 0.7
"""Share of all progress that is lost again. In 13 working example runs batch noise reached at most 0.59, in a run of 30
steps; mostly under 0.2. The sick example shows 30 and more."""

USUAL_RATE = 0.1
"""Up to here the rate is one that works with a momentum of 0.9, so that the momentum is the root."""
CONSEQUENCES = ("diverging-loss", "dying-relu", "saturated-activation")


class MomentumOscillation(Rule):
    """
    What it finds:
    A momentum of 0.95 or more together with a loss that loses most of its progress again.

    Why training stops:
    Momentum adds up past steps. With 0.99 a steady step becomes a hundred times longer, and the memory of it a hundred
    steps long: the weights run through the valley, up the other side and back.

    What you see:
    A loss that falls, rises, falls, with a period of tens to hundreds of steps, or spikes.

    How it is proven:
    The swings are measured on the smoothed per-batch loss. Then the momentum is set to 0.9, from the same seeds.

    When to ignore it:
    When the run ends well: high momentum with a small rate or a schedule is a known recipe.

    References:
    Goh 2017, "Why Momentum Really Works" (distill.pub); Sutskever et al. 2013, "On the importance of initialization and
    momentum"; keras-team/keras issue 3687.
    """

    code = "OPT104"
    severity = "warning"
    echo_of = ("unscaled-inputs", "unscaled-targets")
    sick = Example(
        """
model = keras.Sequential([keras.layers.Dense(16, activation="tanh"), keras.layers.Dense(1)])
model.compile(keras.optimizers.SGD(learning_rate=0.05, momentum=0.999), loss="mse")
model.fit(x, y, validation_data=(x_val, y_val), epochs=10, verbose=0)
""",
        data="regression",
    )
    healthy = Example(
        """
model = keras.Sequential([keras.layers.Dense(16, activation="tanh"), keras.layers.Dense(1)])
model.compile(keras.optimizers.SGD(learning_rate=0.01, momentum=0.9), loss="mse")
model.fit(x, y, validation_data=(x_val, y_val), epochs=10, verbose=0)
""",
        data="regression",
    )

    def check(self, setup: Setup, curve: Curve) -> Judgement:
        momentum = setup.optimizer.momentum or float(setup.optimizer.config.get("beta_1") or 0.0)
        if not momentum:
            return NotApplicable("the optimiser has no momentum")
        if momentum < HEAVY:
            return Cleared(f"the momentum is {momentum:g}", momentum, HEAVY)
        rebound = _rebound(curve.losses)
        if not (rebound > REBOUND or curve.diverged):
            return Cleared(
                f"momentum {momentum:g}, but the loss never lost more than {rebound:.0%} of its progress",
                rebound,
                REBOUND,
            )
        usual = (setup.optimizer.learning_rate or 0.0) <= USUAL_RATE
        return Suspect(
            message=f"a momentum of {momentum:g} makes the loss swing instead of fall",
            location=setup.optimizer_location("swings"),
            evidence=(
                Evidence(
                    measure="momentum",
                    value=momentum,
                    expected=HEAVY,
                    text=f"momentum {momentum:g} makes a steady step {1 / max(1 - momentum, 1e-9):.0f} times longer",
                ),
                Evidence(
                    measure="lost-progress",
                    value=rebound,
                    expected=REBOUND,
                    text=f"after its lowest point so far the loss rose again by {rebound:.0%} of what it had gained",
                ),
            ),
            cures=(SetMomentum(0.9),),
            rivals=(ScaleLearningRate(0.1),),
            leads_to=CONSEQUENCES + (("learning-rate-too-high",) if usual else ()),
        )


def _rebound(losses: np.ndarray) -> float:
    """Largest rise above the lowest loss so far, as a share of all that was gained, on the smoothed loss.

    A loss that never fell by half is measured against that half: batch noise on a flat line is no swing.
    """
    finite = losses[np.isfinite(losses)]
    window = max(5, len(finite) // 10)
    if len(finite) < 3 * window:
        return 0.0
    smooth = np.convolve(finite, np.ones(window) / window, mode="valid")
    gained = max(smooth[0] - smooth.min(), 0.5 * abs(smooth[0]), 1e-12)
    return float((smooth - np.minimum.accumulate(smooth)).max() / gained)
