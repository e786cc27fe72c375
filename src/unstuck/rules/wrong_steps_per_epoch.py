"""Steps that do not fit the data."""

from __future__ import annotations

import numpy as np

from unstuck.finding import Edit, Evidence, Fix
from unstuck.measure.room import Room
from unstuck.measure.seen import gathered
from unstuck.measure.setup import Setup
from unstuck.measure.skill import Skill
from unstuck.measure.training.passes import Passes
from unstuck.rules.rule import Cleared, Example, NotApplicable, Rule, Suspect

SHORT = 0.9
"""Steps of a later epoch, as a share of the first one's, below which the stream had run out."""
HALF = 0.5
"""Share of the rows below which a network has not seen what it was given."""


class WrongStepsPerEpoch(Rule):
    """The number of steps and the data do not fit each other.

    What it finds
    A generator that is used up after the first epoch, and a `steps_per_epoch` so small that the whole fit did not see
    half of the rows.

    Why training stops
    A Python generator cannot begin again. Keras repeats only the first batches, which it had looked at to learn the
    shapes, and goes on with those for all further epochs. Too few steps are too little training, on too few rows.

    What you see
    The warning "Your input ran out of data"; epochs after the first that take no time; a score that stays where the
    first epoch left it.

    How it is proven
    By counting the steps of each epoch, and steps times batch size beside the number of rows.

    When to ignore it
    When an epoch is meant to be shorter than the data and there are many of them.

    References
    keras/src/trainers/data_adapters/generator_data_adapter.py (peek_and_restore); keras/src/trainers/epoch_iterator.py;
    keras-team/keras#7661.
    """

    code = "PIP107"
    severity = "error"
    sick = Example(
        """
def batches():
    for start in range(0, len(x), 16):
        yield x[start : start + 16], y[start : start + 16]


model = keras.Sequential([
    keras.Input((30,)),
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.SGD(0.01), loss="binary_crossentropy", metrics=["accuracy"])
model.fit(batches(), epochs=12, validation_data=(x_val, y_val), verbose=0)
"""
    )
    healthy = Example(
        """
def batches():
    while True:
        for start in range(0, len(x), 16):
            yield x[start : start + 16], y[start : start + 16]


model = keras.Sequential([
    keras.Input((30,)),
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.SGD(0.05), loss="binary_crossentropy", metrics=["accuracy"])
model.fit(batches(), steps_per_epoch=27, epochs=20, validation_data=(x_val, y_val), verbose=0)
"""
    )

    def check(
        self, setup: Setup, passes: Passes, skill: Skill | None, room: Room | None
    ) -> Cleared | NotApplicable | Suspect:
        if passes.stream and not passes.endless and len(passes.steps) > 1:
            later = float(np.median(passes.steps[1:]))
            if later < SHORT * passes.steps[0]:
                return self._ran_out(setup, passes, room, later)
        if passes.asked is None:
            return NotApplicable("steps_per_epoch is not given, and every epoch has as many steps as the first")
        if passes.endless:
            return Cleared("the stream has no end, and every epoch took the steps that were asked for")
        seen = passes.total * passes.batch / max(passes.rows, 1)
        if seen >= HALF:
            return Cleared(f"the fit went over the rows {seen:.1f} times", seen, HALF)
        return Suspect(
            message=f"with steps_per_epoch={passes.asked} the whole fit used only {seen:.0%} of the rows",
            location=setup.sources.argument(setup.sites["fit"], "steps_per_epoch", whole=True) or setup.fit_location(),
            evidence=gathered(
                Evidence(
                    measure="rows-used",
                    text=f"{passes.total} steps of {passes.batch} rows; there are {passes.rows} rows",
                    value=passes.total * passes.batch,
                    of=passes.rows,
                ),
                _held(skill),
            ),
            fix=_without_steps(setup, passes),
            leads_to=("too-few-updates", "learning-rate-too-low", "model-too-small"),
        )

    def _ran_out(self, setup: Setup, passes: Passes, room: Room | None, later: float) -> Suspect:
        learnt = room is not None and not room.exists
        return Suspect(
            message=f"the {passes.kind} was used up after {passes.steps[0]} steps: later epochs have {later:.0f}",
            confidence="proven",
            severity="warning" if learnt else None,
            location=setup.sources.argument(setup.sites["fit"], "x", 0, label="can be read once")
            or setup.fit_location(),
            evidence=(
                Evidence(
                    measure="steps-of-later-epochs",
                    text=f"the first epoch had {passes.steps[0]} steps, later ones {later:.0f}",
                    value=later,
                    expected=float(passes.steps[0]),
                ),
            ),
            fix=Fix(
                title="let the generator begin again: while True around its loop, and steps_per_epoch in fit",
                applicability="sketch",
                alternative="keras.utils.PyDataset, or tf.data with repeat()",
            ),
            conclusion="what can be read once has no rows left: later epochs of a generator train on the few batches"
            " that Keras had kept",
            leads_to=("memorising", "too-few-updates", "learning-rate-too-low", "model-too-small", "no-signal"),
        )


def _held(skill: Skill | None) -> Evidence | None:
    if skill is None or not np.isfinite(skill.best):
        return None
    return Evidence(measure="skill", text=f"the network reached the skill {skill.best:.2f} of 1", value=skill.best)


def _without_steps(setup: Setup, passes: Passes) -> Fix:
    full = -(-passes.rows // passes.batch)
    edit: Edit | None = setup.fit_edit("steps_per_epoch", str(full))
    return Fix(
        title=f"leave out steps_per_epoch: {passes.rows} rows are {full} steps of {passes.batch}",
        applicability="suggested" if edit else "sketch",
        edits=(edit,) if edit else (),
    )
