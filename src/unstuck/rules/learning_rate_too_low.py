"""OPT102: steps so small that the network stays what its initialiser made it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from unstuck.experiments.intervention import Intervention
from unstuck.experiments.interventions.learning_rate import ScaleLearningRate
from unstuck.experiments.interventions.optimiser import SetEpsilon, UseAdam
from unstuck.experiments.source_edits import fix, set_optimizer_argument
from unstuck.finding import Evidence
from unstuck.measure.replay import Replay
from unstuck.measure.room import Room
from unstuck.measure.setup import Setup
from unstuck.measure.skill import Skill
from unstuck.measure.training.curve import Curve
from unstuck.measure.training.ending import Ending
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect

MOVED = 0.05
"""Way of a kernel over the whole fit relative to its size. One step usually moves it by a thousandth (CS231n, "Ratio
of weights:updates"), so this is what fifty steps do."""
LEARNT = 0.5
"""From this training skill on, small steps were enough (fine-tuning)."""
BARELY = 0.02
"""Share of its initial value by which the loss has fallen under which what the network knows is not from this fit."""
AT_CHANCE = 0.2
LACKING = 0.05
"""Skill that the training rows lack from which small steps are worth a trial, where nothing else speaks for them: they
are accused only if it confirms them."""
STILL_HIGH = 0.2
"""Share of its initial value by which the loss has fallen; less, while it still falls every epoch, is not finished."""
STILL_LEFT = 0.3
"""Share of the way down to the best constant answer that is still left. With less, the loss has arrived at what a
constant answer costs, and what keeps it there is not the size of the steps."""
STEADY = 0.8
"""Share of the epochs in which the loss fell."""
ADAM_BOUND = 0.1 / np.sqrt(0.001)
"""Largest step of Adam in units of the rate, with its default betas: (1 - 0.9) / sqrt(1 - 0.999) (Kingma and Ba 2015,
section 2.1)."""
ADAM = frozenset({"adam", "adamw", "nadam"})
EPSILON, LARGE_EPSILON = 1e-7, 1e-2
"""Keras's default of what is added to the size of a gradient before it is divided by that; and from where it is most of
what is divided by, for gradients are usually smaller."""


class LearningRateTooLow(Rule):
    """
    What it finds:
    A fit in which no weight matrix moved by more than 5 % of its size, or in which the loss falls every epoch and still
    stands near its initial value. The cause may be a large epsilon, by which steps are divided.

    Why training stops:
    It does not stop, it has hardly begun. The number of steps times their length is how far weights can get; with a
    rate that is too small they stay what the initialiser made them.

    What you see:
    A loss that is constant to two or three digits at its *initial* value and falls steadily behind them. It looks like
    a plateau. It is not a zero loss.

    How it is proven:
    For Adam a step is bounded by the rate, so the furthest a weight can get follows by arithmetic. Else the rate is
    multiplied by 10, 100 and 1000 from the same seeds, scored on training rows: the labels may hold nothing that
    carries over.

    When to ignore it:
    Fine-tuning of weights that already answer well.

    References:
    Kingma and Ba 2015, "Adam", section 2.1; Smith 2017, "Cyclical Learning Rates"; Stack Overflow question 70148149;
    rcmalli/keras-vggface issue 43.
    """

    code = "OPT102"
    severity = "error"
    echo_of = (
        "unscaled-targets",
        "too-few-updates",
        "schedule-kills-learning",
        "over-clipped-gradient",
        "everything-frozen",
        "tiny-targets",
    )
    sick = Example(
        """
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(3, activation="softmax"),
])
model.compile(keras.optimizers.Adam(learning_rate=1e-6), loss="sparse_categorical_crossentropy")
model.fit(x, y, validation_data=(x_val, y_val), epochs=10, verbose=0)
""",
        data="three-classes",
    )
    healthy = Example(
        """
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(3, activation="softmax"),
])
model.compile(keras.optimizers.Adam(learning_rate=1e-2), loss="sparse_categorical_crossentropy")
model.fit(x, y, validation_data=(x_val, y_val), epochs=10, verbose=0)
""",
        data="three-classes",
    )

    def check(
        self, setup: Setup, curve: Curve, replay: Replay, skill: Skill, ending: Ending, room: Room | None
    ) -> Judgement:
        if setup.optimizer.learning_rate == 0 and not setup.optimizer.schedule and replay.stationary:
            return _zero(setup)
        moves = [m for path, m in replay.relative_moves.items() if path.endswith("kernel") and np.isfinite(m)]
        furthest = max(moves, default=float("nan"))
        if not moves or furthest == 0:
            return NotApplicable("no weight matrix moved at all, so a larger rate would not move them either")
        if curve.diverged:
            return Cleared("the loss rose instead of standing still", furthest, MOVED)
        fell = 1 - replay.last.loss / replay.first.loss if replay.first.loss > 0 else float("nan")
        unfinished = _steady(curve.epochs) and 0 < fell < STILL_HIGH and skill.train < AT_CHANCE
        unfinished = unfinished and not ending.cut and _left(replay, skill) > STILL_LEFT
        still = furthest < MOVED and (setup.optimizer.learning_rate or 0.0) < setup.optimizer.default_rate
        by_luck = fell < BARELY and room is not None and room.exists  # some first weights answer well
        behind = room is not None and room.exists and room.learnable - skill.train > LACKING
        slow = behind and not ending.cut and (furthest < MOVED or (_steady(curve.epochs) and fell > 0))
        moved = f"a weight matrix moved by {furthest:.0%} of its size in {replay.last.step} steps"
        plain = (still or unfinished) and (skill.train < LEARNT or by_luck)
        if not plain and not slow:
            return Cleared(moved, furthest, MOVED)
        suspect = self._suspect(setup, curve, replay, skill, furthest, fell)
        return suspect if plain else replace(suspect, unless_confirmed=moved)

    def _suspect(
        self, setup: Setup, curve: Curve, replay: Replay, skill: Skill, furthest: float, fell: float
    ) -> Suspect:
        rate = setup.optimizer.learning_rate
        moved = furthest < MOVED
        evidence = [
            Evidence(
                measure="largest-relative-move",
                value=furthest,
                expected=MOVED,
                text=f"no weight matrix moved by more than {furthest:.2g} of its size in {replay.last.step} steps",
            )
        ]
        if 0 < fell < 1:
            evidence.append(
                Evidence(
                    measure="loss-fall",
                    value=fell,
                    expected=STILL_HIGH,
                    text=f"the loss fell from {replay.first.loss:.4g} to {replay.last.loss:.4g}, "
                    f"{fell:.1%} of its start, and was still falling"
                    if _steady(curve.epochs)
                    else f"the loss fell by {fell:.1%} of its start",
                )
            )
        reach = _reach(setup, replay)
        below = rate is not None and rate < setup.optimizer.default_rate
        proven = moved and below and reach < MOVED and skill.train < AT_CHANCE
        conclusion = ""
        if proven:
            conclusion = (
                f"Adam moves a weight by at most {ADAM_BOUND:.1f} times the rate a step: {replay.last.step} steps "
                f"of {rate:g} reach {reach:.1%} of the weights' size, whatever the data"
            )
        return Suspect(
            message=(
                f"steps are divided by an epsilon of {_epsilon(setup):g}: "
                if _epsilon(setup) >= LARGE_EPSILON
                else f"{setup.optimizer.rate_is} too low: "
            )
            + ("the weights hardly move" if moved else "the loss still falls from where it began"),
            confidence="proven" if proven else "likely",
            location=setup.optimizer_location("steps too short"),
            evidence=tuple(evidence),
            cures=_cures(setup),
            endpoint="train skill",
            conclusion=conclusion,
            leads_to=("too-few-updates",) if below else (),
            impairs=not (moved and below and skill.train < AT_CHANCE),
        )


def _left(replay: Replay, skill: Skill) -> float:
    """Share of the way from the first loss down to the best constant answer's that is left; 1 if it began below."""
    way = replay.first.loss - skill.constant_loss
    return (replay.last.loss - skill.constant_loss) / way if way > 0 else 1.0


def _cures(setup: Setup) -> tuple[Intervention, ...]:
    """Times 10, 100, 1000; the one that reaches Keras's default rate first, for it is the one to offer.

    Plain gradient descent may need other rates for each layer, as a recurrent one does: Adam last.
    """
    factors = [10.0, 100.0, 1000.0]
    rate = setup.optimizer.learning_rate
    usual = next((f for f in factors if rate and rate * f >= 0.99 * setup.optimizer.default_rate), factors[-1])
    first = usual if rate and rate < setup.optimizer.default_rate else factors[0]
    scaled: tuple[Intervention, ...] = tuple(
        ScaleLearningRate(f) for f in sorted(factors, key=lambda f: (f != first, f))
    )
    if _epsilon(setup) >= LARGE_EPSILON:
        scaled = (SetEpsilon(EPSILON), *scaled)
    return (*scaled, UseAdam()) if setup.optimizer.kind == "sgd" and not setup.optimizer.schedule else scaled


def _epsilon(setup: Setup) -> float:
    return float(setup.optimizer.config.get("epsilon") or 0.0)


def _reach(setup: Setup, replay: Replay) -> float:
    """The furthest Adam can move a kernel in this fit, relative to the smallest one's size; infinite if unbounded."""
    rate, optimizer = setup.optimizer.learning_rate, setup.optimizer
    usual = optimizer.config.get("beta_1", 0.9) == 0.9 and optimizer.config.get("beta_2", 0.999) == 0.999
    sizes = [v.value for v in replay.first.variables if v.path.endswith("kernel")]
    if rate is None or optimizer.schedule or optimizer.kind not in ADAM or not usual or not sizes or min(sizes) <= 0:
        return float("inf")
    return float(ADAM_BOUND * rate * (replay.last.step - replay.first.step) / min(sizes))


def _steady(epochs: np.ndarray) -> bool:
    return len(epochs) >= 3 and bool((np.diff(epochs) < 0).mean() >= STEADY)


def _zero(setup: Setup) -> Suspect:
    edit = set_optimizer_argument(setup, "learning_rate", f"{setup.optimizer.default_rate:g}")
    return Suspect(
        message="the learning rate is 0, so no weight can move",
        confidence="proven",
        location=setup.optimizer_location("0"),
        evidence=(Evidence(measure="learning-rate", value=0.0, text="no weight changed during the fit"),),
        conclusion="0 times any gradient is 0",
        impairs=False,
        fix=fix(f"use Keras's default rate of {setup.optimizer.default_rate:g}", [edit]),
    )
