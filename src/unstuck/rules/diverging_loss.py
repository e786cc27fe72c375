"""NUM102: a loss that grows without end."""

from __future__ import annotations

import numpy as np

from unstuck.experiments.interventions.learning_rate import ScaleLearningRate
from unstuck.experiments.interventions.optimiser import SetClipNorm
from unstuck.finding import Evidence
from unstuck.measure.data import Data
from unstuck.measure.replay import Replay
from unstuck.measure.setup import Setup
from unstuck.measure.training.curve import Curve
from unstuck.measure.training.first_non_finite import FirstNonFinite
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect

GROWN = 10.0
"""Final loss over initial loss; the same as in `Curve.diverged`. Working runs end below 1."""


class DivergingLoss(Rule):
    """
    What it finds:
    A loss that ends at more than ten times its start, or at infinity or NaN, with inputs and targets that are finite.

    Why training stops:
    Each step overshoots further than the one before. On a parabola that happens when the rate times the curvature
    exceeds 2; large inputs, large targets and recurrent layers make the curvature large.

    What you see:
    A loss of 1e3, 1e9, inf, nan.

    How it is proven:
    From the recorded losses. It names a symptom: when the rate, the scale of the data or an undefined operation is
    found to be the cause, this is listed as its consequence. Otherwise a bound on the gradient's norm is tried, from
    the same seeds.

    When to ignore it:
    Losses without a lower bound, such as those of adversarial or reinforcement learning.

    References:
    Pascanu, Mikolov, Bengio 2013, "On the difficulty of training recurrent neural networks"; LeCun et al. 1998,
    "Efficient BackProp"; Stack Overflow questions 37232782, 61274792; keras-team/keras issue 2134.
    """

    code = "NUM102"
    severity = "error"
    echo_of = (
        "learning-rate-too-high",
        "momentum-oscillation",
        "unscaled-inputs",
        "unscaled-targets",
        "non-finite-inputs",
        "non-finite-targets",
        "undefined-operation",
        "labels-wrongly-encoded",
        "labels-out-of-range",
        "oversized-initialisation",
        "relu-on-class-output",
        "class-loss-on-regression",
        "softmax-for-multilabel",
    )
    sick = Example(
        """
model = keras.Sequential([keras.layers.Dense(16, activation="relu"), keras.layers.Dense(1)])
model.compile(keras.optimizers.SGD(learning_rate=5.0), loss="mse")
model.fit(x, y, validation_data=(x_val, y_val), epochs=3, verbose=0)
""",
        data="regression",
    )
    healthy = Example(
        """
model = keras.Sequential([keras.layers.Dense(16, activation="relu"), keras.layers.Dense(1)])
model.compile(keras.optimizers.SGD(learning_rate=0.01), loss="mse")
model.fit(x, y, validation_data=(x_val, y_val), epochs=3, verbose=0)
""",
        data="regression",
    )

    def check(
        self, setup: Setup, curve: Curve, data: Data | None, replay: Replay | None, first: FirstNonFinite | None
    ) -> Judgement:
        if data is not None and not all(np.isfinite(a).all() for a in (*data.x, data.y) if a.dtype.kind == "f"):
            return NotApplicable("inputs or targets hold values that are not finite")
        grown = curve.last / abs(curve.first) if curve.first else 0.0
        if not curve.diverged:
            return Cleared(f"the loss ends at {grown:.2g} times its start", grown, GROWN)
        return Suspect(
            message=f"the loss leaves the numbers at step {curve.non_finite_step}"
            if curve.non_finite_step is not None
            else f"the loss grows to {grown:.3g} times its start",
            location=setup.fit_location("diverges"),
            evidence=(_course(curve), *_gradients(replay), *_origin(first)),
            cures=(SetClipNorm(1.0), ScaleLearningRate(0.01)),
            leads_to=("dying-relu", "saturated-activation"),
        )


def _course(curve: Curve) -> Evidence:
    finite = curve.losses[np.isfinite(curve.losses)]
    if curve.non_finite_step is not None:
        largest = f"; the largest before was {finite.max():.3g}" if len(finite) else ""
        return Evidence(
            measure="non-finite-step",
            value=curve.non_finite_step,
            text=f"the loss is not a finite number from step {curve.non_finite_step}{largest}",
        )
    return Evidence(
        measure="last-over-first-loss",
        value=curve.last / abs(curve.first),
        expected=GROWN,
        text=f"the loss went from {curve.first:.3g} to {curve.last:.3g}",
    )


def _origin(first: FirstNonFinite | None) -> tuple[Evidence, ...]:
    if first is None or not first.text:
        return ()
    return (Evidence(measure="first-non-finite-layer", text=first.text, value=first.step),)


def _gradients(replay: Replay | None) -> tuple[Evidence, ...]:
    """How the largest gradient grew, where it was replayed."""
    if replay is None or not replay.first.variables:
        return ()
    sizes = [max((v.gradient for v in m.variables if np.isfinite(v.gradient)), default=0.0) for m in replay.moments]
    if not sizes[0] > 0 or max(sizes) <= 10 * sizes[0]:
        return ()
    return (
        Evidence(
            measure="gradient-growth",
            value=max(sizes) / sizes[0],
            text=f"the largest gradient grew {max(sizes) / sizes[0]:.2g}-fold",
        ),
    )
