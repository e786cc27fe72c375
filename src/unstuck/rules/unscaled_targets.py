"""Regression targets far away from where a network starts."""

from __future__ import annotations

import numpy as np

from unstuck.experiments.interventions.learning_rate import ScaleLearningRate
from unstuck.experiments.interventions.standardise import StandardiseTargets
from unstuck.finding import Evidence
from unstuck.measure.contract import Contract
from unstuck.measure.data import Data
from unstuck.measure.replay import Replay
from unstuck.measure.seen import gathered
from unstuck.measure.setup import SQUARED, Setup
from unstuck.measure.skill import Skill
from unstuck.measure.task import Task
from unstuck.measure.training.curve import Curve
from unstuck.rules.rule import Cleared, Example, NotApplicable, Rule, Suspect

LARGE = 10.0
"""Root mean square of the targets from which they are far from the outputs a fresh network gives (about 1)."""
SOLVED = 0.9
"""R2 from which the scale of the targets has visibly not stood in the way."""
ADAPTIVE = frozenset({"adam", "adamw", "nadam", "adamax", "rmsprop", "adafactor", "lion", "lamb", "adagrad"})
"""Optimisers whose steps are about the learning rate, whatever the gradient's size (Kingma & Ba 2015, sec. 2.1)."""
BOUNDED = frozenset({"sigmoid", "tanh", "softmax", "hard_sigmoid", "softsign"})
POSITIVE = frozenset({"relu", "softplus", "exponential"})


class UnscaledTargets(Rule):
    """The targets are so large that the optimiser cannot reach them in the steps it has.

    What it finds
    Regression targets whose size (root mean square) is above 10 under a squared or absolute loss.

    Why training stops
    A fresh network answers about 0. Adam moves each weight by about the learning rate a step, so it needs many thousand
    steps to reach 100,000; plain SGD gets gradients in proportion to the targets and diverges instead.

    What you see
    A huge loss that hardly moves and equals the mean of the squared targets, predictions near 0; or NaN with SGD.

    How it is proven
    The same network is trained from the same seeds on standardised targets, its answers mapped back before scoring,
    beside other learning rates and a placebo.

    When to ignore it
    When the run is simply long enough; then the rule is cleared.

    References
    Kingma & Ba 2015, section 2.1; question 52800582 on Stack Overflow; keras-team/keras#2576, #3753.
    """

    code = "DAT105"
    severity = "error"
    echo_of = ("bounded-output", "non-finite-targets", "non-finite-inputs", "everything-frozen")
    sick = Example(
        """
y, y_val = 50_000 + 20_000 * y, 50_000 + 20_000 * y_val
model = keras.Sequential([
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(1),
])
model.compile("adam", loss="mse", metrics=["mae"])
model.fit(x, y, epochs=20, validation_data=(x_val, y_val), verbose=0)
""",
        data="regression",
    )
    healthy = Example(
        """
model = keras.Sequential([
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(1),
])
model.compile("adam", loss="mse", metrics=["mae"])
model.fit(x, y, epochs=20, validation_data=(x_val, y_val), verbose=0)
""",
        data="regression",
    )

    def check(
        self,
        setup: Setup,
        contract: Contract,
        data: Data,
        task: Task,
        curve: Curve | None,
        replay: Replay | None,
        skill: Skill | None,
    ) -> Cleared | NotApplicable | Suspect:
        if task.kind != "regression" or setup.loss.name not in SQUARED or setup.loss.custom:
            return NotApplicable("the task is not regression under a squared or absolute loss")
        if not contract.single or setup.custom_train_step or "logarithm" in setup.loss.name:
            return NotApplicable("the size of the targets does not decide (several outputs, own step, or log scale)")
        if setup.head.activation in BOUNDED:
            return NotApplicable(f"the output is bounded by {setup.head.activation}: see bounded-output")
        finite = task.y[np.isfinite(task.y).all(axis=1)]
        size = float(np.sqrt((finite**2).mean())) if len(finite) else 0.0
        if size <= LARGE:
            return Cleared(f"the targets have the size {size:.3g}", size, LARGE)
        if skill is not None and skill.best >= SOLVED:
            return Cleared(f"R2 is {skill.best:.2f} with targets of the size {size:.3g}", skill.best, SOLVED)
        return Suspect(
            message=f"the targets are as large as {size:,.4g}, and the network starts near 0",
            confidence="likely",
            location=setup.sources.argument(setup.sites["fit"], "y", 1, label="these targets") or setup.fit_location(),
            related=(setup.optimizer_location(),),
            evidence=gathered(
                Evidence(
                    measure="target-size",
                    value=size,
                    expected=1.0,
                    text=f"targets: mean {finite.mean():.4g}, standard deviation {finite.std():.3g}",
                ),
                _reach(setup, curve, size),
                _answers(replay, finite),
                _loss(skill, size),
            ),
            cures=(StandardiseTargets(centre=setup.head.activation not in POSITIVE),),
            rivals=(ScaleLearningRate(10), ScaleLearningRate(0.1)),
            leads_to=(
                "learning-rate-too-low",
                "learning-rate-too-high",
                "diverging-loss",
                "too-few-updates",
                "dying-relu",
                "model-too-small",
                "momentum-oscillation",
                "undefined-operation",
            ),
        )


def _reach(setup: Setup, curve: Curve | None, size: float) -> Evidence | None:
    """How far the optimiser can move one weight in this run, beside how far the answers have to go."""
    rate = setup.optimizer.learning_rate
    steps = len(curve.losses) if curve is not None else setup.epochs * setup.steps_per_epoch
    if rate is None or setup.optimizer.kind not in ADAPTIVE or setup.optimizer.schedule:
        return None
    reach = rate * steps
    text = f"{setup.optimizer.kind} moves a weight by about {rate:g} a step: at most {reach:.3g} in {steps} steps"
    return Evidence(measure="reach-of-a-weight", text=text, value=reach, expected=size)


def _answers(replay: Replay | None, targets: np.ndarray) -> Evidence | None:
    if replay is None or not len(replay.train_outputs) or not np.isfinite(replay.train_outputs).all():
        return None
    mean = float(replay.train_outputs.mean())
    text = f"the network answers {mean:.4g} on average; the targets average {targets.mean():.4g}"
    return Evidence(measure="mean-answer", text=text, value=mean, expected=float(targets.mean()))


def _loss(skill: Skill | None, size: float) -> Evidence | None:
    if skill is None or not np.isfinite([skill.evaluated_loss, skill.constant_loss]).all():
        return None
    text = f"the final loss is {skill.evaluated_loss:.4g}; always answering the mean has {skill.constant_loss:.4g}"
    return Evidence(measure="loss-beside-mean", text=text, value=skill.evaluated_loss, expected=skill.constant_loss)
