from __future__ import annotations

from unstuck.finding import Evidence, Fix
from unstuck.measure.leakage.reuse import Reuse
from unstuck.measure.setup import Setup
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect

SAME = 0.5
"""Share of the tested rows that also chose the model, from which the test is no test."""
WORTH = 0.02
"""Optimism in skill from which the score is not what it claims; the smallest effect the trials call one, too."""


class ReusedTestSet(Rule):
    """
    What it finds:
    A test score from the rows that chose the model: by early stopping, by checkpoints, by a schedule, or by picking
    the best of several fits.

    Why training stops:
    It does not: the best of many attempts is partly the luckiest. The luck is in the rows it was chosen by.

    What you see:
    The test score repeats the validation score to the last digit.

    How it is proven:
    By row fingerprints of what validated and what tested. The price of picking among fits is measured on the
    recorded answers: one half of the rows picks, the other half reports, over many halves.

    When to ignore it:
    When the price is about 0: few attempts, many rows. Call it a validation score then.

    References:
    G. Cawley, N. Talbot: On over-fitting in model selection, JMLR 11, 2010.
    """

    code = "LEK305"
    severity = "note"
    sick = Example(
        """
model = keras.Sequential([
    keras.Input((x.shape[1],)),
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy", metrics=["accuracy"])
best = keras.callbacks.EarlyStopping(patience=5, restore_best_weights=True)
model.fit(x, y, validation_data=(x_val, y_val), epochs=30, callbacks=[best], verbose=0)
model.evaluate(x_val, y_val, verbose=0)
""",
    )
    healthy = Example(
        """
x_test, y_test, x_val, y_val = x_val[:70], y_val[:70], x_val[70:], y_val[70:]
model = keras.Sequential([
    keras.Input((x.shape[1],)),
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy", metrics=["accuracy"])
best = keras.callbacks.EarlyStopping(patience=5, restore_best_weights=True)
model.fit(x, y, validation_data=(x_val, y_val), epochs=30, callbacks=[best], verbose=0)
model.evaluate(x_test, y_test, verbose=0)
""",
    )

    def check(self, reuse: Reuse, setup: Setup) -> Judgement:
        if not reuse.tested:
            return NotApplicable("no rows were handed to evaluate after the fit")
        text = f"{reuse.shared} of {reuse.tested} tested rows are validation rows"
        if reuse.shared < SAME * reuse.tested:
            return Cleared(text, reuse.shared / reuse.tested, SAME)
        if not reuse.chosen_by:
            return Cleared(f"{text}, but they chose nothing: one fit, no early stopping or checkpoint by them")
        how = " and ".join(reuse.chosen_by)
        price = reuse.optimism
        costly = price is not None and price - 2 * reuse.error > WORTH
        said = (
            "its price was not measured: one fit"
            if price is None
            else f"its price is {price:.2f} ± {reuse.error:.2f} skill"
        )
        return Suspect(
            message=f"the test rows chose the model ({how}); {said}",
            confidence="proven",
            severity="error" if costly else "note",
            location=setup.sources.location(reuse.site, "scores by the rows that chose the model"),
            related=(setup.fit_location(f"{how} by these rows"),),
            evidence=(Evidence(measure="tested-rows-that-validated", text=text, value=reuse.shared, of=reuse.tested),),
            impairs=False,
            conclusion=f"the row fingerprints of validation and test are equal; {said}",
            fix=Fix(
                title="hold out a third part, and look at it once",
                applicability="sketch",
                alternative="report it as a validation score",
            ),
        )
