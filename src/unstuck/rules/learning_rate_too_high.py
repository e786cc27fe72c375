"""OPT101: steps so large that they throw the weights away."""

from __future__ import annotations

import numpy as np

from unstuck.experiments.interventions.learning_rate import ScaleLearningRate
from unstuck.finding import Evidence
from unstuck.measure.data import Data
from unstuck.measure.replay import Replay
from unstuck.measure.setup import Setup
from unstuck.measure.training.curve import Curve
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect

JUMP = 2.0
"""Rise of the loss over its start, on the same rows. Training that works lowers it; it stayed at or below
1.0 times the start in 13 working example runs."""
THROWN = 2.0
"""Growth of a kernel within the first steps. Updates of a thousandth of the weights are usual (CS231n, "Ratio of
weights:updates"); a kernel that doubles in four steps has lost what its initialiser gave it."""
EARLY = 4
"""Steps that count as first: the snapshots after step 1 and step 4."""
ALIVE, DEAD = 0.5, 0.9
HIGH = {"sgd": 0.1, "adagrad": 0.1, "adadelta": 10.0}
USUALLY_HIGH = 0.01
"""Rates above these (Adam's family: 0.01) are ten times what Keras defaults to, or more."""
OSCILLATING = 0.95
CONSEQUENCES = ("dying-relu", "diverging-loss", "saturated-activation", "saturated-loss-clip", "vanishing-gradient")


class LearningRateTooHigh(Rule):
    """
    What it finds:
    A learning rate with which the first steps throw the weights away: the loss jumps above its start, kernels double
    within four steps, ReLU units that were alive die, or the loss leaves the numbers.

    Why training stops:
    A step follows the slope at one point and holds only nearby. A step that is too long lands where the loss is higher
    and the slope steeper, and the next one goes further. It ends in NaN, or in units that are dead or saturated and
    get no gradient any more.

    What you see:
    A loss that jumps in the first epoch and stays: at the constant answer's value, far above it, or NaN.

    How it is proven:
    Initial and later weights are run on the same recorded rows. Then the rate is divided by 10, 100 and 1000 from the
    same seeds; the smallest change that works is the fix.

    When to ignore it:
    A large rate that learns, on scaled data, with a schedule or batch normalisation, is fine.

    References:
    Smith 2017, "Cyclical Learning Rates"; LeCun et al. 1998, "Efficient BackProp", section 4; keras-team/keras issues
    4066, 1597; geifmany/cifar-vgg issue 1.
    """

    code = "OPT101"
    severity = "error"
    echo_of = (
        "unscaled-inputs",
        "unscaled-targets",
        "non-finite-inputs",
        "non-finite-targets",
        "labels-wrongly-encoded",
        "undefined-operation",
        "oversized-initialisation",
        "class-loss-on-regression",
    )
    sick = Example(
        """
model = keras.Sequential([
    keras.layers.Flatten(),
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(10, activation="softmax"),
])
model.compile(keras.optimizers.Adam(learning_rate=1.0), loss="sparse_categorical_crossentropy")
model.fit(x, y, validation_data=(x_val, y_val), epochs=10, verbose=0)
""",
        data="images",
    )
    healthy = Example(
        """
model = keras.Sequential([
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(3, activation="softmax"),
])
model.compile(keras.optimizers.Adam(learning_rate=0.01), loss="sparse_categorical_crossentropy")
model.fit(x, y, validation_data=(x_val, y_val), epochs=10, verbose=0)
""",
        data="three-classes",
    )

    def check(self, setup: Setup, curve: Curve, replay: Replay | None, data: Data | None) -> Judgement:
        if data is not None and not _finite(data):
            return NotApplicable("inputs or targets hold values that are not finite; no rate can help")
        rise = _rise(curve, replay)
        seen = [*_divergence(curve), *_jump(rise), *_thrown(replay), *_killed(setup, replay)]
        rate, usual = setup.optimizer.learning_rate, HIGH.get(setup.optimizer.kind, USUALLY_HIGH)
        if rate is not None and rate > usual:
            seen.append(
                Evidence(
                    measure="learning-rate",
                    value=rate,
                    expected=usual,
                    text=f"the rate is {rate:g}; {setup.optimizer.kind} rarely works above {usual:g}",
                )
            )
        if not seen:
            return Cleared(f"the loss never rose above {rise:.2g} times its start", rise, JUMP)
        fast = setup.optimizer.momentum >= OSCILLATING and (rate or 0) <= usual
        alive = replay is not None and not _dead_at_start(setup, replay)
        return Suspect(
            message=f"{setup.optimizer.rate_is} too high: {_headline(seen)}",
            location=setup.optimizer_location("steps too long"),
            evidence=tuple(seen),
            cures=(ScaleLearningRate(0.1), ScaleLearningRate(0.01), ScaleLearningRate(0.001)),
            leads_to=CONSEQUENCES
            + (() if fast else ("momentum-oscillation",))
            + (("dead-relu-output",) if alive else ()),
        )


def _headline(seen: list[Evidence]) -> str:
    return {
        "non-finite-step": "the loss leaves the numbers",
        "loss-over-start": "the loss jumps above its start",
        "kernel-growth": "the first steps throw the weights away",
        "units-killed": "it kills the ReLU units",
        "learning-rate": "it is far above what usually works",
    }[seen[0].measure]


def _finite(data: Data) -> bool:
    return all(bool(np.isfinite(a).all()) for a in (*data.x, data.y) if a.dtype.kind == "f")


def _divergence(curve: Curve) -> list[Evidence]:
    if curve.non_finite_step is None:
        return []
    return [
        Evidence(
            measure="non-finite-step",
            value=curve.non_finite_step,
            text=f"the loss is no longer a finite number from step {curve.non_finite_step}",
        )
    ]


def _rise(curve: Curve, replay: Replay | None) -> float:
    """Largest loss over the loss at the start: on the same rows where they were replayed, else of the first batches."""
    if replay is not None and len(replay.moments) > 1 and np.isfinite(replay.first.loss) and replay.first.loss > 0:
        later = [m.loss for m in replay.moments[1:] if np.isfinite(m.loss)]
        return float(max(later, default=0.0) / replay.first.loss)
    losses = curve.losses[np.isfinite(curve.losses)]
    window = max(5, len(losses) // 20)
    if len(losses) < 2 * window or losses[:window].mean() <= 0:
        return 1.0
    return float(np.convolve(losses, np.ones(window) / window, mode="valid").max() / losses[:window].mean())


def _jump(rise: float) -> list[Evidence]:
    if not rise > JUMP:
        return []
    return [
        Evidence(
            measure="loss-over-start",
            value=rise,
            expected=JUMP,
            text=f"the loss rose to {rise:.3g} times its value before the first step",
        )
    ]


def _thrown(replay: Replay | None) -> list[Evidence]:
    if replay is None or replay.first.step != 0:
        return []
    start = {v.path: v.value for v in replay.first.variables if v.path.endswith("kernel") and v.value > 1e-8}
    worst, step = 0.0, 0
    for moment in replay.moments[1:]:
        for v in moment.variables:
            if moment.step <= EARLY and v.path in start and v.value / start[v.path] > worst:
                worst, step = v.value / start[v.path], moment.step
    if not worst > THROWN:
        return []
    return [
        Evidence(
            measure="kernel-growth",
            value=worst,
            expected=THROWN,
            text=f"a weight matrix grew to {worst:.3g} times its initial size in {step} step{'s' if step > 1 else ''}",
        )
    ]


def _killed(setup: Setup, replay: Replay | None) -> list[Evidence]:
    for layer in setup.layers if replay is not None else ():
        before, after = replay.layer(layer.name, first=True), replay.layer(layer.name)  # type: ignore[union-attr]
        if layer.activation == "relu" and before and after and before.dead_share < ALIVE and after.dead_share >= DEAD:
            return [
                Evidence(
                    measure="units-killed",
                    value=after.dead_share,
                    expected=DEAD,
                    text=f"{before.dead_share:.0%} of the ReLU units of '{layer.name}' were dead at the start, "
                    f"{after.dead_share:.0%} at the end",
                )
            ]
    return []


def _dead_at_start(setup: Setup, replay: Replay) -> bool:
    state = replay.layer(setup.head.activation_layer.name, first=True)
    return state is not None and state.dead_share == 1.0
