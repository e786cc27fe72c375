"""CAP205: weights that may not get as large as the data need them."""

from __future__ import annotations

import numpy as np

from unstuck.experiments.interventions.constraint import RemoveConstraints, constraints
from unstuck.experiments.interventions.learning_rate import ScaleLearningRate
from unstuck.finding import Evidence
from unstuck.measure.replay import Replay
from unstuck.measure.room import Room
from unstuck.measure.seen import gathered
from unstuck.measure.setup import Layer, Setup
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect

SHRUNK = 0.5
"""Size of a constrained kernel at the end over its size at the start under which the bound itself has made it small;
training alone makes kernels larger."""


class WeightConstraintTooTight(Rule):
    """
    What it finds:
    Layers with a constraint of their weights (MaxNorm, UnitNorm, MinMaxNorm, NonNeg) in a network that learns less than
    the data allow.

    Why training stops:
    After each update Keras puts the weights back into the bounds. A small maximal norm shrinks what every layer passes
    on, as a penalty does, but no loss shows it; weights that may not be negative cannot tell rows apart by differences.

    What you see:
    A loss that falls for a few steps and stays where it is, whatever the learning rate.

    How it is proven:
    The same network is trained without the constraints, from the same seeds.

    When to ignore it:
    When the bounds are what is wanted (monotone networks, critics) and the price is known, or when the network scores
    as well as other learners; such runs are cleared.

    References:
    Srebro, Rennie and Jaakkola 2005, "Maximum-Margin Matrix Factorization"; Srivastava et al. 2014, "Dropout",
    section 5.1; keras/src/constraints/constraints.py.
    """

    code = "CAP205"
    severity = "error"
    echo_of = ("dying-relu", "vanishing-gradient")
    sick = Example(
        """
bound = keras.constraints.MaxNorm(0.05)
model = keras.Sequential([
    keras.layers.Dense(32, activation="relu", kernel_constraint=bound),
    keras.layers.Dense(32, activation="relu", kernel_constraint=bound),
    keras.layers.Dense(3, activation="softmax", kernel_constraint=bound),
])
model.compile(keras.optimizers.Adam(0.01), loss="sparse_categorical_crossentropy")
model.fit(x, y, validation_data=(x_val, y_val), epochs=20, verbose=0)
""",
        data="three-classes",
    )
    healthy = Example(
        """
bound = keras.constraints.MaxNorm(3)
model = keras.Sequential([
    keras.layers.Dense(32, activation="relu", kernel_constraint=bound),
    keras.layers.Dense(32, activation="relu", kernel_constraint=bound),
    keras.layers.Dense(3, activation="softmax", kernel_constraint=bound),
])
model.compile(keras.optimizers.Adam(0.01), loss="sparse_categorical_crossentropy")
model.fit(x, y, validation_data=(x_val, y_val), epochs=20, verbose=0)
""",
        data="three-classes",
    )

    def check(self, setup: Setup, replay: Replay | None, room: Room | None) -> Judgement:
        bounded = [layer for layer in setup.layers if constraints(layer.config)]
        if not bounded:
            return NotApplicable("no layer has a constraint of its weights")
        if room is not None and not room.exists:
            return Cleared("the network scores as well as other learners")
        first, name = bounded[0], constraints(bounded[0].config)[0]
        ended = _ended_at(replay, bounded)
        small = ended is not None and ended.value is not None and ended.value <= SHRUNK
        return Suspect(
            message="the weights may not get as large as the data need them"
            + (f" in {len(bounded)} layers" if len(bounded) > 1 else ""),
            location=setup.layer_location(first, name, None, "bounds the weights"),
            related=tuple(
                setup.layer_location(one, constraints(one.config)[0], None, "bounds the weights") for one in bounded[1:]
            ),
            evidence=gathered(
                Evidence(
                    measure="constrained-layers",
                    value=len(bounded),
                    text=f"{_kind(first, name)} bounds the weights of {len(bounded)} layer"
                    f"{'s' if len(bounded) > 1 else ''}",
                ),
                ended,
            ),
            cures=(RemoveConstraints(),),
            rivals=(ScaleLearningRate(10),),
            leads_to=(
                "learning-rate-too-low",
                "too-few-updates",
                "dying-relu",
                "dead-relu-output",
                "vanishing-gradient",
                "model-too-small",
            ),
            unless_confirmed="" if small else "the weights have bounds, and without them nothing more is learnt",
        )


def _kind(layer: Layer, name: str) -> str:
    given = layer.config[name]
    return str(given.get("class_name", name)) if isinstance(given, dict) else type(given).__name__


def _ended_at(replay: Replay | None, layers: list[Layer]) -> Evidence | None:
    """How much smaller the bound made a kernel than its initialiser had."""
    ratios = replay.kernel_ratios(layer.name for layer in layers) if replay is not None else []
    if not ratios or not np.isfinite(ratios).all() or min(ratios) >= 1:
        return None
    text = f"a constrained kernel ended at {min(ratios):.1%} of its initial size"
    return Evidence(measure="kernel-end-over-start", value=min(ratios), expected=1.0, text=text)
