"""OPT106: a weight decay that wipes the weights out."""

from __future__ import annotations

from math import isfinite

from unstuck.experiments.interventions.learning_rate import ScaleLearningRate
from unstuck.experiments.interventions.weight_decay import SetWeightDecay
from unstuck.finding import Evidence
from unstuck.measure.replay import Replay
from unstuck.measure.setup import Setup
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect

STRONG = 0.01
"""Share of a weight that decay takes away in one step, the rate times the decay. A gradient step is usually a
thousandth of the weights (CS231n), so a hundredth cannot be made up for. AdamW's defaults take 4e-6."""
SHRUNK = 0.1
"""Size of a kernel at the end over its size at the start (as in weight-penalty-too-strong)."""
USUAL = 0.004
"""Keras's default of AdamW."""


class WeightDecayTooStrong(Rule):
    """
    What it finds:
    A weight decay of the optimiser that takes 1 % or more of every weight in each step, or that shrank a kernel to a
    tenth of its size.

    Why training stops:
    Decoupled decay multiplies every weight by 1 - rate x decay in each step, whatever the loss says. When that takes
    more than the gradient adds, weights go to zero and the network gives every row the same answer. The penalty is not
    part of the loss, so the loss does not show it.

    What you see:
    A loss at the constant answer's value with weights near zero.

    How it is proven:
    The decay a step is computed, the kernels are measured at start and end. Then decay is set to Keras's default, and
    to none, from the same seeds.

    When to ignore it:
    When the network scores as well as other learners.

    References:
    Loshchilov and Hutter 2019, "Decoupled Weight Decay Regularization"; keras/src/optimizers/base_optimizer.py;
    tensorflow/models issue 991.
    """

    code = "OPT106"
    severity = "error"
    sick = Example(
        """
model = keras.Sequential([keras.layers.Dense(32, activation="relu"), keras.layers.Dense(1)])
model.compile(keras.optimizers.AdamW(0.01, weight_decay=50.0), loss="mse")
model.fit(x, y, validation_data=(x_val, y_val), epochs=10, verbose=0)
""",
        data="regression",
    )
    healthy = Example(
        """
model = keras.Sequential([keras.layers.Dense(32, activation="relu"), keras.layers.Dense(1)])
model.compile(keras.optimizers.AdamW(0.003, weight_decay=0.004), loss="mse")
model.fit(x, y, validation_data=(x_val, y_val), epochs=10, verbose=0)
""",
        data="regression",
    )

    def check(self, setup: Setup, replay: Replay) -> Judgement:
        decay = float(setup.optimizer.config.get("weight_decay") or 0.0)
        if not decay:
            return NotApplicable("the optimiser has no weight decay")
        rate = setup.optimizer.learning_rate
        taken = decay * rate if rate is not None else float("nan")
        shrunk = min(filter(isfinite, replay.kernel_ratios()), default=1.0)
        if not (taken >= STRONG or shrunk <= SHRUNK):
            return Cleared(f"decay takes {taken:.2g} of a weight in a step", taken, STRONG)
        return Suspect(
            message=f"a weight decay of {decay:g} wipes the weights out",
            location=setup.optimizer_location("decays too fast"),
            evidence=(
                Evidence(
                    measure="decay-a-step",
                    value=taken,
                    expected=STRONG,
                    text=f"each step takes {taken:.2g} of every weight away (rate {rate:g} times decay {decay:g})",
                ),
                Evidence(
                    measure="kernel-end-over-start",
                    value=shrunk,
                    expected=SHRUNK,
                    text=f"the kernel that shrank most is at {shrunk:.2g} of its initial size",
                ),
            ),
            cures=(SetWeightDecay(USUAL), SetWeightDecay(0.0)),
            rivals=(ScaleLearningRate(10),),
            leads_to=("dying-relu", "dead-relu-output", "vanishing-gradient"),
        )
