"""NUM103: mixed precision whose steps are skipped, or whose numbers overflow."""

from __future__ import annotations

from unstuck.experiments.interventions.precision import FullPrecision
from unstuck.finding import Evidence
from unstuck.measure.replay import Moment, Replay
from unstuck.measure.seen import gathered, standstill
from unstuck.measure.setup import Setup
from unstuck.measure.training.curve import Curve
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect

LARGEST = 65504.0
"""The largest float16."""
NEAR = 0.1
"""Share of it from which the sum over a batch, or the next layer, overflows."""


class LossScaleCollapse(Rule):
    """
    What it finds:
    float16 arithmetic (mixed precision) whose outputs or gradients overflow, so that steps are skipped or lost.

    Why training stops:
    float16 ends at 65504. Keras multiplies the loss by a scale so that small gradients survive; when a gradient is
    infinite or NaN the step is skipped and the scale halved. When that happens in every step, as with unscaled inputs
    or a deep sum, no weight ever moves and nothing is said. The scale never falls below 1.

    What you see:
    Weights that do not change in any step with a finite loss; or NaN.

    How it is proven:
    Layer outputs and gradients are recorded at several steps. Then the same network trains in float32.

    When to ignore it:
    Single skipped steps at the start are how the scale is found.

    References:
    Micikevicius et al. 2018, "Mixed Precision Training"; keras/src/optimizers/loss_scale_optimizer.py; keras-team/keras
    issues 16100, 16552; tensorflow/tensorflow issue 38357.
    """

    code = "NUM103"
    severity = "error"
    sick = Example(
        """
model = keras.Sequential([
    keras.Input((30,)),
    keras.layers.Rescaling(30000.0, dtype="mixed_float16"),
    keras.layers.Dense(16, activation="relu", dtype="mixed_float16"),
    keras.layers.LayerNormalization(),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(0.01)), loss="binary_crossentropy")
model.fit(x, y, validation_data=(x_val, y_val), epochs=10, verbose=0)
"""
    )
    healthy = Example(
        """
model = keras.Sequential([
    keras.Input((30,)),
    keras.layers.Dense(16, activation="relu", dtype="mixed_float16"),
    keras.layers.LayerNormalization(),
    keras.layers.Dense(1, activation="sigmoid"),
])
scaled = keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(0.01), initial_scale=1024.0)
model.compile(scaled, loss="binary_crossentropy")
model.fit(x, y, validation_data=(x_val, y_val), epochs=10, verbose=0)
"""
    )

    def check(self, setup: Setup, replay: Replay, curve: Curve | None) -> Judgement:
        mixed = [layer for layer in setup.layers if layer.precision == "mixed_float16"]
        if not mixed:
            return NotApplicable("no layer computes in float16")
        names = {layer.name for layer in mixed}
        largest = max((_largest(moment, names) for moment in replay.moments), default=0.0)
        overflown = any(not layer.finite for m in replay.moments for layer in m.layers if layer.name in names)
        lost = not all(v.finite for v in replay.last.variables)
        if not (replay.stationary or overflown or lost or largest > NEAR * LARGEST):
            return Cleared(f"outputs stayed below {largest:.3g} and the weights moved", largest, NEAR * LARGEST)
        first = next((layer for layer in mixed if layer.params), mixed[0])
        return Suspect(
            message="float16 overflows, and the steps are skipped"
            if replay.stationary
            else "float16 overflows in mixed precision",
            location=setup.layer_location(first, "dtype", None, "float16 inside"),
            evidence=gathered(
                standstill(replay),
                Evidence(
                    measure="largest-output",
                    value=largest,
                    expected=LARGEST,
                    text="outputs of the float16 layers are infinite or NaN"
                    if overflown
                    else f"the largest output of the float16 layers is {largest:.3g}; float16 ends at {LARGEST:g}",
                ),
                Evidence(
                    measure="non-finite-step",
                    value=curve.non_finite_step,
                    text=f"the loss is not a number from step {curve.non_finite_step}",
                )
                if curve is not None and curve.non_finite_step is not None
                else None,
            ),
            cures=(FullPrecision(),),
            leads_to=(
                "diverging-loss",
                "learning-rate-too-high",
                "learning-rate-too-low",
                "swallowed-nan",
                "dying-relu",
                "too-few-updates",
                "undefined-operation",
            ),
        )


def _largest(moment: Moment, names: set[str]) -> float:
    return max((max(abs(one.minimum), abs(one.maximum)) for one in moment.layers if one.name in names), default=0.0)
