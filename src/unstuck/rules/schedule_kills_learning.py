"""OPT103: a schedule or callback that takes the learning rate away before anything is learnt."""

from __future__ import annotations

import numpy as np

from unstuck.experiments.interventions.constant_rate import ConstantRate
from unstuck.finding import Evidence, Location
from unstuck.measure.room import Room
from unstuck.measure.setup import Setup
from unstuck.measure.training.curve import Curve
from unstuck.measure.training.rates import Rates
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect

GONE = 0.01
"""Share of its peak from which the rate counts as gone. Schedules that are published end at a tenth to a thousandth of
the peak, and spend the end there, not the run (He et al. 2016; Loshchilov and Hutter 2017)."""
MOST = 0.5
"""Share of the steps. A cosine over the whole run has 6 % of its steps below 1 % of the peak, an exponential decay to a
thousandth a third."""
CALLBACKS = ("ReduceLROnPlateau", "LearningRateScheduler")


class ScheduleKillsLearning(Rule):
    """
    What it finds:
    A learning rate that was below 1 % of its peak for more than half of the steps, or that a callback holds below 1 %
    of what compile was given from the first epoch on.

    Why training stops:
    Schedules count optimiser steps, not epochs. `decay_steps=10` is over in the first epoch, and
    `ExponentialDecay(..., decay_steps=1, decay_rate=0.5)` halves the rate with every batch: after ten batches a
    thousandth is left. `ReduceLROnPlateau` with a patience of 1 takes every wobble for a plateau. From then on steps
    are so short that nothing changes any more.

    What you see:
    A loss that falls at first and is frozen from one epoch on, to all digits.

    How it is proven:
    The rate of every step is computed from the schedule's settings, or read from the logs. Then the rate stays at its
    peak, from the same seeds.

    When to ignore it:
    When the loss had settled before the rate was gone.

    References:
    keras/src/optimizers/schedules/learning_rate_schedule.py; Loshchilov and Hutter 2017, "SGDR"; He et al. 2016, "Deep
    Residual Learning"; tensorflow/tensorflow issue 48308; keras-team/keras issue 10924.
    """

    code = "OPT103"
    severity = "error"
    sick = Example(
        """
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(3, activation="softmax"),
])
rate = keras.optimizers.schedules.ExponentialDecay(0.01, decay_steps=1, decay_rate=0.5)
model.compile(keras.optimizers.Adam(rate), loss="sparse_categorical_crossentropy")
model.fit(x, y, validation_data=(x_val, y_val), epochs=20, verbose=0)
""",
        data="three-classes",
    )
    healthy = Example(
        """
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(3, activation="softmax"),
])
rate = keras.optimizers.schedules.CosineDecay(0.01, decay_steps=20 * 5)
model.compile(keras.optimizers.Adam(rate), loss="sparse_categorical_crossentropy")
model.fit(x, y, validation_data=(x_val, y_val), epochs=20, verbose=0)
""",
        data="three-classes",
    )

    def check(self, setup: Setup, rates: Rates, curve: Curve, room: Room | None) -> Judgement:
        compiled = setup.optimizer.learning_rate or 0.0
        if any(name in setup.callbacks for name in CALLBACKS):  # it may have set the rate before it was recorded
            compiled = max(compiled, setup.optimizer.default_rate)
        low = not rates.schedule and rates.peak < GONE * compiled and not curve.diverged
        if low and (room is None or room.exists):
            return _never(setup, rates, compiled)
        if not rates.peak > 0 or float(np.ptp(rates.values)) == 0.0:
            return NotApplicable("the learning rate is constant")
        gone = float((rates.values < GONE * rates.peak).mean())
        if gone <= MOST:
            return Cleared(f"{gone:.0%} of the steps had less than {GONE:.0%} of the largest rate", gone, MOST)
        if curve.diverged:
            return NotApplicable("the loss left the numbers")
        step = int(np.argmax(rates.values < GONE * rates.peak)) + 1
        epoch = (step - 1) // setup.steps_per_epoch + 1
        name = rates.schedule or "a callback"
        return Suspect(
            message=f"{name} takes the learning rate away in epoch {epoch} of {len(curve.epochs) or setup.epochs}",
            location=_location(setup, rates),
            evidence=(
                Evidence(
                    measure="steps-without-rate",
                    value=gone,
                    expected=MOST,
                    text=f"from step {step} of {len(rates.values)} the rate is under {GONE:.0%} of its peak of "
                    f"{rates.peak:.3g}; at the end it is {rates.values[-1]:.2g}",
                ),
            ),
            cures=(ConstantRate(rates.peak), ConstantRate(rates.peak / 10)),
            leads_to=("learning-rate-too-low", "too-few-updates"),
        )


def _never(setup: Setup, rates: Rates, compiled: float) -> Suspect:
    """A callback sets a rate from the first epoch on at which next to nothing is learnt."""
    return Suspect(
        message=f"a callback sets the learning rate to {rates.peak:.2g} from the first epoch on",
        location=_location(setup, rates),
        evidence=(
            Evidence(
                measure="largest-rate",
                value=rates.peak,
                expected=compiled,
                text=f"the rate is {rates.peak:.2g} at most; usual, or given to compile, is {compiled:g}",
            ),
        ),
        cures=(ConstantRate(compiled),),
        leads_to=("learning-rate-too-low", "too-few-updates"),
    )


def _location(setup: Setup, rates: Rates) -> Location | None:
    """The schedule or the callback where it is made, else where it is handed over."""
    names = (rates.schedule,) if rates.schedule else tuple(name for name in CALLBACKS if name in setup.callbacks)
    made = next((place for name in names if (place := setup.made_location(name, "rate gone"))), None)
    return made or (setup.optimizer_location("rate gone") if rates.schedule else setup.fit_location("rate gone"))
