"""EVA106: predict, or validation, is given rows of another scale than training was."""

from __future__ import annotations

import numpy as np

from unstuck.finding import Evidence, Fix
from unstuck.measure.code.predictions import Predicted, Predictions
from unstuck.measure.data import Data
from unstuck.measure.held_scale import APART as HELD_APART
from unstuck.measure.held_scale import SHIFTED, HeldScale
from unstuck.measure.seen import gathered
from unstuck.measure.setup import Setup
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect

APART = 20.0
"""Ratio of the spreads of all values. Pixels left at 0 to 255 differ by 255, raw tables usually by far more; another
sample of the same rows, or a plot a little beyond the data, by a factor of 2 or 3."""
ENOUGH = 10
"""Rows under which a spread says nothing."""


class InferencePreprocessingDiffers(Rule):
    """
    What it finds:
    Rows handed to predict() whose values spread more than 20 times as far as those handed to fit, or less than a
    twentieth; validation rows whose columns spread five times as far or as little, or lie three spreads from
    standardised training rows.

    Why training stops:
    It does not. The network is asked about inputs unlike any it was trained on, because a scaling that training data
    went through is missing or applied twice.

    What you see:
    Good validation, and predictions that are all alike or plainly wrong. Or, where validation rows are the raw ones, a
    training loss that falls and a validation loss that is high from the first epoch: it looks like memorising.

    How it is proven:
    Both spreads are recorded. Which preprocessing is missing is not, so this stays likely. Preprocessing outside the
    recorded process, as in a deployed model, cannot be checked.

    When to ignore it:
    When the network is deliberately asked about values far outside its data.

    References:
    The Keras guide "Working with preprocessing layers" (training and serving skew); Sculley et al. 2015, "Hidden
    Technical Debt in Machine Learning Systems".
    """

    code = "EVA106"
    severity = "warning"
    echo_of = ("empty-batches", "blank-inputs")
    sick = Example(
        """
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, validation_data=(x_val, y_val), epochs=15, verbose=0)
model.predict(scaler.inverse_transform(x_val), verbose=0)
"""
    )
    healthy = Example(
        """
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, validation_data=(x_val, y_val), epochs=15, verbose=0)
model.predict(x_val, verbose=0)
"""
    )

    def check(self, setup: Setup, data: Data, predictions: Predictions, validation: HeldScale) -> Judgement:
        if validation.differs:
            return _raw_validation(setup, validation)
        trained = (data.stats.get("x") or [{}])[0].get("std")
        compared = [(p, spread) for p in predictions.calls if (spread := _spread(p)) is not None]
        if not trained or not compared or len(data.x) != 1:
            return NotApplicable("no predictions of enough rows were described")
        predicted, spread = max(compared, key=lambda pair: abs(np.log(pair[1] / trained)))
        ratio = spread / trained
        if 1 / APART < ratio < APART:
            return Cleared(f"values handed to predict spread {ratio:.2g} times as far as in training", ratio, APART)
        return Suspect(
            message=f"predict is given values that spread {ratio:.3g} times as far as those in training",
            location=setup.sources.location(predicted.site, "another scale than in training"),
            related=(setup.fit_location("trained on these"),),
            evidence=gathered(
                Evidence(
                    measure="spread-over-training-spread",
                    value=ratio,
                    expected=APART,
                    text=f"standard deviation of all values: {trained:.4g} in fit, {spread:.4g} in predict",
                )
            ),
            conclusion="the same preprocessing is missing, or applied twice, before predict",
            impairs=False,
            fix=Fix(
                title="put the preprocessing into the model, or transform before predict as before fit",
                applicability="sketch",
            ),
        )


def _raw_validation(setup: Setup, validation: HeldScale) -> Suspect:
    by_spread = validation.shift < SHIFTED
    seen = Evidence(
        measure="factor-between-spreads" if by_spread else "shift-in-training-spreads",
        value=validation.apart if by_spread else validation.shift,
        expected=HELD_APART if by_spread else SHIFTED,
        text=f"the spreads of their columns differ by a factor of {validation.apart:.3g}"
        if by_spread
        else f"the training rows are standardised, and theirs lie {validation.shift:.2g} spreads away",
    )
    return Suspect(
        message=f"the validation rows are of another scale than the training rows: {seen.text}",
        location=setup.sources.argument(setup.sites["fit"], "validation_data", label="of another scale")
        or setup.fit_location(),
        related=(setup.sources.argument(setup.sites["fit"], "x", 0, label="than these"),),
        evidence=(seen,),
        conclusion="the same preprocessing is missing, or applied twice, before they are handed to fit: the score on "
        "them says nothing",
        impairs=False,
        leads_to=("memorising",),
        fix=Fix(
            title="transform validation rows by what was fitted on the training rows, or put that into the model",
            applicability="sketch",
        ),
    )


def _spread(predicted: Predicted) -> float | None:
    about = (predicted.described.get("x") or [{}])[0]
    rows = predicted.described.get("rows") or 0
    spread = about.get("std")
    return float(spread) if spread and rows >= ENOUGH else None
