"""OPT107: training that ended before it had begun."""

from __future__ import annotations

import numpy as np

from unstuck.experiments.intervention import Intervention, Together
from unstuck.experiments.interventions.accumulation import RemoveAccumulation
from unstuck.experiments.interventions.batch_size import SetBatchSize
from unstuck.experiments.interventions.epochs import ScaleEpochs
from unstuck.experiments.interventions.learning_rate import ScaleLearningRate
from unstuck.finding import Evidence
from unstuck.measure.room import Room
from unstuck.measure.seen import gathered
from unstuck.measure.setup import Setup
from unstuck.measure.skill import Skill
from unstuck.measure.training.curve import STILL_FALLING, Curve
from unstuck.measure.training.ending import Ending
from unstuck.measure.training.repeats import Repeats
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect

FEW = 100
"""Optimiser steps. At Keras's default rate a step moves a weight by about a thousandth of its size (CS231n, "Ratio of
weights:updates"), so fewer cannot leave the initial weights far behind. Catalogue OPT107."""
AT_CHANCE = 0.2
"""Training skill. Above it the network does learn, and what more steps would bring is for the trial to say."""
USUAL_BATCH = 32
"""Keras's default; small batches also generalise better (Keskar et al. 2017)."""
MANY = 1_000
"""Steps that the largest cure aims at, and under which a fit that learns may have ended too soon: ten times `FEW`."""


class TooFewUpdates(Rule):
    """
    What it finds:
    A fit of fewer than 100 optimiser steps that ended where it began, at chance. As a warning, if a trial
    confirms it: one that did learn, but less than there is, and ended after fewer than 100 steps, or after fewer than
    1,000 while its loss still fell. An optimiser that gathers the gradients of many batches for one update.

    Why training stops:
    One batch is one step. The number of steps is epochs times rows divided by the batch size, and each step moves a
    weight a little. A batch as large as the data set, or one epoch over few rows, leaves a handful of steps: too short
    a way from the initial weights to anywhere.

    What you see:
    A loss that has barely moved and still falls, an accuracy at the share of the largest class. It looks like a
    network that cannot learn.

    How it is proven:
    The steps are counted. Then the batch becomes smaller, or the epochs more, from the same seeds. A larger rate with
    the same steps is tried beside it.

    When to ignore it:
    In a quick run that only tests whether the script works.

    References:
    Keskar et al. 2017, "On Large-Batch Training for Deep Learning"; Goyal et al. 2017, "Accurate, Large Minibatch SGD";
    keras-team/keras issue 2576; Stack Overflow question 49583466.
    """

    code = "OPT107"
    severity = "error"
    echo_of = (
        "non-finite-inputs",
        "everything-frozen",
        "stopped-in-warm-up",
        "model-rebuilt-in-loop",
        "vanishing-gradient",
    )
    sick = Example(
        """
model = keras.Sequential([
    keras.layers.Flatten(),
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(10, activation="softmax"),
])
model.compile("adam", loss="sparse_categorical_crossentropy")
model.fit(x, y, validation_data=(x_val, y_val), batch_size=2048, epochs=3, verbose=0)
""",
        data="images",
    )
    healthy = Example(
        """
model = keras.Sequential([
    keras.layers.Flatten(),
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(10, activation="softmax"),
])
model.compile("adam", loss="sparse_categorical_crossentropy")
model.fit(x, y, validation_data=(x_val, y_val), batch_size=32, epochs=15, verbose=0)
""",
        data="images",
    )

    def check(
        self, setup: Setup, curve: Curve, skill: Skill, repeats: Repeats, ending: Ending, room: Room | None
    ) -> Judgement:
        steps = len(curve.losses)
        if repeats.count > 1 and (repeats.anew or repeats.position < repeats.count):
            return NotApplicable(f"one of {repeats.count} fits of this network on these rows")
        if curve.diverged:
            return NotApplicable("the loss left the numbers; more steps would not bring it back")
        if ending.cut:
            return NotApplicable(f"the fit {ending.words}")
        learns = skill.train >= AT_CHANCE
        together = int(setup.optimizer.config.get("gradient_accumulation_steps") or 1)
        if together > 1 and steps // together < FEW and not (learns and room is not None and not room.exists):
            return _accumulated(setup, curve, skill, steps, together)
        if steps >= (MANY if learns and curve.falls > STILL_FALLING else FEW):
            return Cleared(f"the fit took {steps} steps", steps, FEW)
        left = f"{steps} steps were enough to leave chance: training skill {skill.train:.2f}"
        if learns and (room is None or not room.exists):
            return Cleared(left, steps, FEW)
        size, epochs = setup.batch_size, len(curve.epochs) or setup.epochs
        words, enough = "updates are" if steps > 1 else "update is", "all there is" if learns else "from"
        usual = (setup.optimizer.learning_rate or 0.0) >= setup.optimizer.default_rate
        return Suspect(
            message=f"{steps} {words} too few to learn {enough}",
            confidence="possible" if learns else "likely",
            severity="warning" if learns else None,
            location=setup.fit_location("too few steps"),
            evidence=gathered(
                Evidence(
                    measure="updates",
                    value=steps,
                    expected=FEW,
                    text=f"{setup.rows} rows in batches of {size} for {epochs} epoch{'s' if epochs > 1 else ''}: "
                    f"{steps} optimiser steps",
                ),
                _course(curve, skill),
            ),
            cures=_cures(setup, epochs),
            rivals=(ScaleLearningRate(10),),
            leads_to=("learning-rate-too-low", "model-too-small") if usual else (),
            unless_confirmed=left if learns else "",
        )


def _accumulated(setup: Setup, curve: Curve, skill: Skill, steps: int, together: int) -> Suspect:
    """The optimiser gathers the gradients of so many batches for one update."""
    updates = steps // together
    return Suspect(
        message=f"{steps} batches are {updates or 'no'} update{'' if updates == 1 else 's'}: the optimiser gathers"
        f" {together} of them for one",
        confidence="proven" if not updates else "likely",
        location=setup.optimizer_location("one update for so many batches"),
        related=(setup.fit_location(f"{steps} batches"),),
        evidence=gathered(
            Evidence(
                measure="updates",
                value=updates,
                expected=FEW,
                text=f"{steps} batches, {together} to an update: {updates} updates",
            ),
            _course(curve, skill),
        ),
        cures=(RemoveAccumulation(),),
        rivals=(ScaleLearningRate(10),),
        conclusion="" if updates else "weights change when so many batches are gathered, which never happens",
        leads_to=("learning-rate-too-low", "model-too-small", "everything-frozen", "no-signal"),
    )


def _course(curve: Curve, skill: Skill) -> Evidence | None:
    if not np.isfinite([curve.first, curve.last]).all():
        return None
    text = f"the loss went from {curve.first:.4g} to {curve.last:.4g}; training skill is {skill.train:.2f}"
    return Evidence(measure="train-skill", value=skill.train, expected=AT_CHANCE, text=text)


def _cures(setup: Setup, epochs: int) -> tuple[Intervention, ...]:
    """A usual batch where the batch is large; beside it ten times the epochs, and as many as `MANY` steps take."""
    smaller = (SetBatchSize(USUAL_BATCH),) if min(setup.batch_size, setup.rows) > USUAL_BATCH else ()
    size = USUAL_BATCH if smaller else setup.batch_size
    enough = round(MANY / (epochs * max(1, -(-setup.rows // size))))
    longer = [ScaleEpochs(factor) for factor in sorted({10, max(10, enough)})]
    return (*smaller, *(Together((*smaller, more)) if smaller else more for more in longer))
