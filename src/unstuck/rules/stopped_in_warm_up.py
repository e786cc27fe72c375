"""OPT109: early stopping that stops before training got going."""

from __future__ import annotations

from unstuck.experiments.interventions.early_stopping import WithoutEarlyStopping
from unstuck.finding import Evidence
from unstuck.measure.setup import Setup
from unstuck.measure.skill import Skill
from unstuck.measure.training.curve import Curve
from unstuck.measure.training.ending import Ending
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect

SHORT = 0.5
"""Share of the epochs asked for. A stop in the second half is what early stopping is for."""
FEW = 10
"""Epochs under which a stop counts as early: a patience of 10 would not have stopped yet (Prechelt 1998)."""


class StoppedInWarmUp(Rule):
    """
    What it finds:
    Early stopping that ended a fit within its first ten epochs, less than half of those asked for.

    Why training stops:
    `EarlyStopping` has a patience of 0 by default: the first epoch without progress ends the fit. Validation scores
    wobble, most of all at the start, and a warm-up or batch normalisation makes them worse before they get better.
    With the wrong `mode` (a metric of your own is taken for one that should fall) progress itself ends the fit.

    What you see:
    One to three epochs, and a best epoch that is the first.

    How it is proven:
    The epochs are counted. Then training runs for all of them, from the same seeds, and is scored on held-out rows.

    When to ignore it:
    When the score was at its best there: then the trial shows it, and the run is cleared.

    References:
    Prechelt 1998, "Early Stopping - But When?"; keras/src/callbacks/early_stopping.py; tensorflow/tensorflow issue
    35634; keras-team/keras issue 20323.
    """

    code = "OPT109"
    severity = "error"
    sick = Example(
        """
model = keras.Sequential([
    keras.Input((64,)),
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(10, activation="softmax"),
])
model.compile(keras.optimizers.SGD(0.05), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
stop = keras.callbacks.EarlyStopping(monitor="val_accuracy", mode="min")
held = (x_val.reshape(-1, 64), y_val)
model.fit(x.reshape(-1, 64), y, validation_data=held, epochs=20, callbacks=[stop], verbose=0)
""",
        data="images",
    )
    healthy = Example(
        """
model = keras.Sequential([
    keras.Input((64,)),
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(10, activation="softmax"),
])
model.compile(keras.optimizers.SGD(0.05), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
stop = keras.callbacks.EarlyStopping(monitor="val_accuracy", patience=10)
held = (x_val.reshape(-1, 64), y_val)
model.fit(x.reshape(-1, 64), y, validation_data=held, epochs=20, callbacks=[stop], verbose=0)
""",
        data="images",
    )

    def check(self, setup: Setup, curve: Curve, skill: Skill | None, ending: Ending) -> Judgement:
        if "EarlyStopping" not in setup.callbacks:
            return NotApplicable("fit has no early stopping")
        ran, asked = len(curve.epochs), setup.epochs
        if ending.cut:
            return NotApplicable(f"the fit {ending.words}")
        if curve.diverged:
            return NotApplicable("the loss left the numbers")
        if ran >= FEW or ran >= SHORT * asked:
            return Cleared(f"it trained for {ran} of {asked} epochs", ran, min(FEW, SHORT * asked))
        reached = f"; training skill is {skill.train:.2f}" if skill is not None else ""
        return Suspect(
            message=f"early stopping ended the fit after {ran} of {asked} epochs",
            location=setup.made_location("EarlyStopping", "stops too soon") or setup.fit_location("stopped"),
            evidence=(
                Evidence(
                    measure="epochs-trained",
                    value=ran,
                    of=asked,
                    text=f"{ran} of {asked} epochs, {len(curve.losses)} steps, were trained{reached}",
                ),
            ),
            cures=(WithoutEarlyStopping(asked),),
            leads_to=("too-few-updates", "learning-rate-too-low"),
        )
