"""ACT102: a ReLU output that is 0 for every row."""

from __future__ import annotations

import numpy as np

from unstuck.experiments.interventions.head import ReplaceHead
from unstuck.finding import Confidence, Evidence
from unstuck.measure.data import Data
from unstuck.measure.replay import Replay
from unstuck.measure.setup import Setup
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect


class DeadReluOutput(Rule):
    """
    What it finds:
    A network whose last activation is ReLU and whose outputs are 0 for every row, while the targets are not.

    Why training stops:
    ReLU has slope 0 where its input is negative. Once the output's input is negative for every row, no weight of the
    network gets a gradient, the output's bias included. There is no way back, whatever the loss.

    What you see:
    A loss that repeats to the last digit: with mean squared error it is the mean of the squared targets. Predictions
    are all 0. It happens with some seeds and not with others.

    How it is proven:
    The recorded rows are run through the final weights: all outputs are 0 and the gradient of every weight is exactly
    0, so no further step on these rows can change anything. Runs with another output from the same seeds show what
    was lost.

    When to ignore it:
    Never, if the targets vary. A ReLU output that answers, for targets that cannot be negative, is left alone.

    References:
    Lu, Shin, Su, Karniadakis 2020, "Dying ReLU and Initialization"; jvargasmu/population_estimation issue 68;
    community.deeplearning.ai/t/324182.
    """

    code = "ACT102"
    severity = "error"
    echo_of = (
        "relu-output-negative-targets",
        "relu-on-class-output",
        "constant-target",
        "non-finite-inputs",
        "zero-initialised-kernel",
        "dying-relu",
    )
    sick = Example(
        """
y, y_val = y - y.min(), y_val - y.min()
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="relu", bias_initializer=keras.initializers.Constant(-4.0)),
])
model.compile(keras.optimizers.Adam(0.01), loss="mse")
model.fit(x, y, validation_data=(x_val, y_val), epochs=40, verbose=0)
""",
        data="regression",
    )
    healthy = Example(
        """
y, y_val = y - y.min(), y_val - y.min()
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="relu", bias_initializer=keras.initializers.Constant(y.mean())),
])
model.compile(keras.optimizers.Adam(0.01), loss="mse")
model.fit(x, y, validation_data=(x_val, y_val), epochs=40, verbose=0)
""",
        data="regression",
    )

    def check(self, setup: Setup, replay: Replay, data: Data) -> Judgement:
        if setup.head.activation != "relu":
            return NotApplicable(f"the output ends with {setup.head.activation}, not with relu")
        outputs = replay.train_outputs.reshape(len(replay.train_outputs), -1)
        if not outputs.size:
            return NotApplicable("no outputs could be replayed")
        dead = (outputs == 0).all(axis=0)
        share = float((outputs == 0).mean())
        if not dead.any():
            return Cleared(f"the output is 0 for {share:.0%} of the rows, not for all", share, 1.0)
        targets = np.asarray(data.y, dtype=float).reshape(len(data.y), -1)
        needed = (targets != 0).any(axis=0)
        missed = dead & needed if needed.shape == dead.shape else dead & needed.any()
        if not missed.any():
            return Cleared("the output is 0 where the targets are 0 too", share, 1.0)
        return self._suspect(setup, replay, outputs, targets, missed)

    def _suspect(
        self, setup: Setup, replay: Replay, outputs: np.ndarray, targets: np.ndarray, missed: np.ndarray
    ) -> Suspect:
        gradients = [v.gradient for v in replay.last.variables]
        still = bool(gradients) and max(gradients) == 0
        proven = bool(missed.all()) and still
        confidence: Confidence = "proven" if proven else "likely"
        which = "every output" if missed.all() else f"{int(missed.sum())} of {len(missed)} outputs"
        evidence = [
            Evidence(
                measure="zero-outputs",
                value=float((outputs == 0).mean()),
                expected=0.0,
                of=float(len(outputs)),
                text=f"{which} is exactly 0 for all {len(outputs)} recorded rows",
            )
        ]
        if still:
            evidence.append(
                Evidence(
                    measure="largest-gradient",
                    value=0.0,
                    text=f"the gradient of all {len(gradients)} weight arrays is exactly 0",
                )
            )
        if setup.loss.name == "mean_squared_error":
            square = float((targets**2).mean())
            evidence.append(
                Evidence(
                    measure="mean-squared-target",
                    value=square,
                    text=f"the loss stands at the mean of the squared targets, {square:.4g}",
                )
            )
        linear, soft = ReplaceHead("linear"), ReplaceHead("softplus")
        return Suspect(
            message="the ReLU output is dead: it is 0 for every row and gets no gradient",
            confidence=confidence,
            location=setup.layer_location(setup.head.activation_layer, "activation", 1, "slope 0 below 0"),
            evidence=tuple(evidence),
            cures=(linear, soft) if (targets < 0).any() else (soft, linear),
            conclusion="relu(z) and its slope are 0 for z < 0, so no step on these rows can move a weight"
            if proven
            else "",
        )
