"""CAP102: the training rows are learnt by heart."""

from __future__ import annotations

import numpy as np

from unstuck.experiments.interventions.dropout import AddDropout
from unstuck.experiments.interventions.epochs import StopAt
from unstuck.experiments.interventions.permute_labels import PermuteLabels
from unstuck.finding import Evidence
from unstuck.measure.reference import Reference
from unstuck.measure.setup import Setup
from unstuck.measure.skill import Skill
from unstuck.measure.training.curve import Curve
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect

AHEAD = 0.2
"""Training skill minus held-out skill. Networks that generalise well are often 0.05 to 0.15 ahead."""
RISE = 0.1
"""Rise of the validation loss over its lowest value, relative to it, while the training loss still falls."""
AS_GOOD = 0.05
"""Held-out skill this close to what other learners reach is what the data allow."""


class Memorising(Rule):
    """
    What it finds:
    Training rows answered far better than held-out rows, with a validation loss that rises while the training loss
    falls.

    Why training stops:
    A network with more weights than the rows need can store them one by one, labels and noise included; it fits
    shuffled labels just as well. What it stores after the common pattern is learnt makes other rows worse.

    What you see:
    A training loss that heads for 1e-6 (never exactly 0) and a validation loss that turns upwards.

    How it is proven:
    Training is stopped at the epoch with the lowest validation loss, or gets dropout, from the same seeds, and the
    held-out score must rise. A control with shuffled labels shows how much of the fit is storage.

    When to ignore it:
    When held-out rows score as well as other learners do: storing does no harm then.

    References:
    Zhang et al. 2017, "Understanding deep learning requires rethinking generalization"; Srivastava et al. 2014,
    "Dropout"; Prechelt 1998, "Early stopping, but when?"; Stack Overflow question 60574843; keras-team/keras issue
    3328.
    """

    code = "CAP102"
    severity = "warning"
    echo_of = (
        "no-signal",
        "misaligned-labels",
        "resampled-before-split",
        "repeated-batch",
        "target-in-features",
        "validation-is-training",
        "unscaled-inputs",
    )
    sick = Example(
        """
rng = np.random.default_rng(0)
x, y = x[:150], np.where(rng.random(150) < 0.3, 1 - y[:150], y[:150])
model = keras.Sequential([
    keras.layers.Dense(512, activation="relu"),
    keras.layers.Dense(512, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile("adam", loss="binary_crossentropy")
model.fit(x, y, validation_data=(x_val, y_val), epochs=80, verbose=0)
"""
    )
    healthy = Example(
        """
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile("adam", loss="binary_crossentropy")
model.fit(x, y, validation_data=(x_val, y_val), epochs=20, verbose=0)
"""
    )

    def check(self, setup: Setup, skill: Skill, curve: Curve, reference: Reference | None) -> Judgement:
        if np.isnan(skill.held):
            return NotApplicable("nothing was held out, so the fit cannot be compared with new rows")
        ahead = skill.train - skill.held
        if ahead < AHEAD:
            return Cleared(f"training rows score {ahead:.2f} above held-out rows", ahead, AHEAD)
        if reference is not None and not reference.by_step and skill.held >= reference.best - AS_GOOD:
            return Cleared(
                f"held-out rows score {skill.held:.2f}, as well as other learners ({reference.best:.2f})",
                reference.best - skill.held,
                AS_GOOD,
            )
        held = curve.held
        if len(held) < 3 or not np.isfinite(held).all():
            return NotApplicable("no validation loss over at least three epochs")
        best = int(held.argmin())
        rise = float(held[-1] / held[best] - 1) if held[best] > 0 else 0.0
        if rise < RISE or curve.epochs[-1] >= curve.epochs[best]:
            return Cleared(f"the validation loss ends {rise:.0%} above its lowest value", rise, RISE)
        return self._suspect(setup, skill, curve, best, rise)

    def _suspect(self, setup: Setup, skill: Skill, curve: Curve, best: int, rise: float) -> Suspect:
        weights = sum(layer.params or 0 for layer in setup.layers)
        return Suspect(
            message="the network learns its training rows by heart",
            location=setup.fit_location(f"best after {best + 1} of {len(curve.held)} epochs"),
            evidence=(
                Evidence(
                    measure="train-minus-held-skill",
                    value=skill.train - skill.held,
                    expected=AHEAD,
                    text=f"it scores {skill.train:.2f} on training rows and {skill.held:.2f} on held-out rows",
                ),
                Evidence(
                    measure="validation-loss-rise",
                    value=rise,
                    expected=RISE,
                    text=f"the validation loss was lowest ({curve.held[best]:.4g}) after epoch {best + 1} and ends "
                    f"{rise:.0%} higher, while the training loss fell to {curve.epochs[-1]:.3g}",
                ),
                Evidence(
                    measure="weights-per-row",
                    value=weights / max(setup.rows, 1),
                    text=f"{weights} weights for {setup.rows} rows",
                ),
            ),
            cures=(StopAt(best + 1), AddDropout(0.5)),
            control=PermuteLabels(),
        )
