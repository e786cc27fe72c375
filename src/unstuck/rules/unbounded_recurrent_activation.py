"""ACT105: a recurrent state without bounds."""

from __future__ import annotations

import numpy as np

from unstuck.experiments.interventions.activations import RECURRENT
from unstuck.experiments.interventions.optimiser import SetClipNorm
from unstuck.experiments.interventions.recurrent_activation import SetRecurrentActivation
from unstuck.finding import Evidence
from unstuck.measure.replay import Replay
from unstuck.measure.seen import gathered
from unstuck.measure.setup import Setup
from unstuck.measure.training.curve import Curve
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect

BOUNDED = frozenset({"tanh", "sigmoid", "hard_sigmoid", "hard_tanh", "softsign", "softmax"})
EXPLODED = 100.0
"""Largest output of the layer. A tanh state ends at 1; a state of 100 has grown at every step of the sequence."""
JUMP = 5.0
"""Highest loss after the lowest one, over the first: a run that lost all it had learnt, and more."""
USUAL_RATE = 0.01
"""Up to here the rate is one that works with bounded states, so that the activation is the root."""


class UnboundedRecurrentActivation(Rule):
    """
    What it finds:
    An LSTM, GRU or simple recurrent layer with ReLU, ELU or no activation whose state or loss has exploded.

    Why training stops:
    The state is multiplied by the recurrent weights at every step of the sequence. tanh bounds it; ReLU does not, so a
    factor of 1.1 becomes 14,000 after 100 steps. Value and gradient grow alike, one update ruins the weights.

    What you see:
    Good epochs, then a sudden jump, or NaN; the sooner, the longer the sequences.

    How it is proven:
    The outputs of the layer are measured. Then the layer gets tanh, from the same seeds; a bound on the gradients is
    tried beside it.

    When to ignore it:
    When it trains: short sequences, small weights or clipping keep a ReLU state in bounds, and such runs are cleared.

    References:
    Le, Jaitly, Hinton 2015, "A Simple Way to Initialize Recurrent Networks of Rectified Linear Units"; Pascanu,
    Mikolov, Bengio 2013; Stack Overflow question 57516678; tensorflow/tensorflow issue 41028.
    """

    code = "ACT105"
    severity = "error"
    echo_of = ("non-finite-inputs", "unscaled-inputs")
    sick = Example(
        """
x, x_val = (np.tile(a.reshape(-1, 8, 8), (1, 2, 1)) for a in (x, x_val))
wide = keras.initializers.RandomNormal(stddev=0.6)
model = keras.Sequential([
    keras.Input((16, 8)),
    keras.layers.SimpleRNN(32, activation="relu", recurrent_initializer=wide),
    keras.layers.Dense(10, activation="softmax"),
])
model.compile(keras.optimizers.Adam(0.01), loss="sparse_categorical_crossentropy")
model.fit(x, y, validation_data=(x_val, y_val), epochs=5, verbose=0)
""",
        data="images",
    )
    healthy = Example(
        """
x, x_val = x.reshape(-1, 8, 8), x_val.reshape(-1, 8, 8)
model = keras.Sequential([
    keras.Input((8, 8)),
    keras.layers.GRU(32, activation="relu"),
    keras.layers.Dense(10, activation="softmax"),
])
model.compile(keras.optimizers.Adam(0.003), loss="sparse_categorical_crossentropy")
model.fit(x, y, validation_data=(x_val, y_val), epochs=10, verbose=0)
""",
        data="images",
    )

    def check(self, setup: Setup, curve: Curve, replay: Replay | None) -> Judgement:
        recurrent = [layer for layer in setup.layers if layer.kind in RECURRENT and "activation" in layer.config]
        unbounded = [layer for layer in recurrent if layer.activation not in BOUNDED]
        if not unbounded:
            return NotApplicable("no recurrent layer without a bound on its state")
        largest = replay.largest_output(layer.name for layer in unbounded) if replay is not None else 0.0
        jumped = _jumped(curve)
        if not (curve.diverged or jumped > JUMP or largest > EXPLODED):
            return Cleared(f"the state stayed below {largest:.3g} and the loss did not explode", largest, EXPLODED)
        first = unbounded[0]
        usual = (setup.optimizer.learning_rate or 0.0) <= USUAL_RATE
        return Suspect(
            message=f"the state of '{first.name}' has no bound: {first.activation} in a recurrent layer",
            location=setup.layer_location(first, "activation", 1, "no bound"),
            related=tuple(setup.layer_location(one, "activation", 1, "no bound") for one in unbounded[1:]),
            evidence=gathered(
                Evidence(
                    measure="largest-state",
                    value=largest,
                    expected=EXPLODED,
                    text=f"the largest output of the recurrent layers is {largest:.3g}",
                )
                if np.isfinite(largest) and largest > 1
                else None,
                _course(curve, jumped),
            ),
            cures=(SetRecurrentActivation("tanh"),),
            rivals=(SetClipNorm(1.0),),
            leads_to=("diverging-loss", "dying-relu", *(("learning-rate-too-high",) if usual else ())),
        )


def _jumped(curve: Curve) -> float:
    """The highest batch loss after the lowest one, over the loss at the start."""
    losses = curve.losses[np.isfinite(curve.losses)]
    if not len(losses) or not curve.first > 0:
        return 0.0
    return float(losses[int(losses.argmin()) :].max() / curve.first)


def _course(curve: Curve, jumped: float) -> Evidence:
    if curve.non_finite_step is not None:
        text = f"the loss is not a number from step {curve.non_finite_step}"
        return Evidence(measure="non-finite-step", value=curve.non_finite_step, text=text)
    text = f"after its lowest point the loss rose to {jumped:.3g} times its start"
    return Evidence(measure="jump-over-start", value=jumped, expected=JUMP, text=text)
