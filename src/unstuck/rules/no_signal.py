"""Labels that the inputs say nothing about."""

from __future__ import annotations

import math

import numpy as np

from unstuck.experiments.interventions.learning_rate import ScaleLearningRate
from unstuck.experiments.interventions.widen import Widen
from unstuck.finding import Evidence
from unstuck.measure.features import Features
from unstuck.measure.reference import SIGNAL, Reference
from unstuck.measure.seen import gathered
from unstuck.measure.setup import Setup
from unstuck.measure.skill import Skill
from unstuck.rules.rule import Cleared, Example, NotApplicable, Rule, Suspect

MIN_ROWS = 200
"""Fewer rows cannot tell weak signal from none: the standard error of a skill is about 1 / sqrt(rows), 0.07 here."""
NEGLIGIBLE = 0.2
"""The largest skill that may still hide behind chance for "no signal" to be said: 0.2 is 60 % right out of two."""
CHANCE = 0.1
"""Held-out skill of the network from which it has found something that the reference learners have not."""
UPPER = 1.64
"""Standard errors to a one-sided 95 % bound."""


class NoSignal(Rule):
    """The inputs say nothing about the labels, as far as can be measured.

    What it finds
    A linear learner and boosted trees that do no better, over all recorded rows by cross-validation, than on shuffled
    labels; with enough rows that a useful signal would have shown.

    Why training stops
    There is nothing to learn that holds for new rows. The network finds the base rate, or memorises the training rows.

    What you see
    A validation loss at the entropy or variance of the labels, whatever is changed; a training loss that falls only
    with size and patience.

    How it is proven
    By a label-permutation test of the reference learners, and by trials of other learning rates and a larger network,
    none of which may reach held-out skill.

    When to ignore it
    When the signal is of a kind that neither learner sees, such as the order of words or the shape of an object: of
    images, sequences and tokens this is never called confirmed.

    References
    Ojala & Garriga 2010, Permutation Tests for Studying Classifier Performance; keras-team/keras#15727.
    """

    code = "DAT109"
    severity = "warning"
    echo_of = ("misaligned-labels", "constant-target", "non-finite-inputs", "non-finite-targets")
    sick = Example(
        """
model = keras.Sequential([
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile("adam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=20, validation_data=(x_val, y_val), verbose=0)
""",
        data="noise",
    )
    healthy = Example(
        """
model = keras.Sequential([
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile("adam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=20, validation_data=(x_val, y_val), verbose=0)
"""
    )

    def check(
        self, setup: Setup, features: Features, reference: Reference, skill: Skill | None
    ) -> Cleared | NotApplicable | Suspect:
        if reference.has_signal:
            return Cleared(f"the labels carry signal (p = {reference.p_value:.2g})", reference.p_value, SIGNAL)
        if features.pairs_of_ids:
            return NotApplicable("the reference learners do not see which embedded ids come together")
        if reference.rows < MIN_ROWS:
            return NotApplicable(f"{reference.rows} rows are too few to tell weak signal from none")
        reached = skill.held if skill is not None and np.isfinite(skill.held) else float("nan")
        if reached > CHANCE:
            return Cleared(f"the network has a held-out skill of {reached:.2f}", reached, CHANCE)
        upper = max(reference.cross_validated, 0.0) + UPPER / math.sqrt(reference.rows)
        if upper > NEGLIGIBLE:
            return Cleared(f"a skill of up to {upper:.2f} cannot be ruled out", upper, NEGLIGIBLE)
        seen = "; ".join(f"{learner.name} {learner.held:.2f}" for learner in reference.learners)
        return Suspect(
            message="the inputs say nothing about the labels that simple learners can find",
            # Of the order of words or the shape of an object they see little.
            confidence="likely" if features.plain else "possible",
            location=setup.fit_location("no learner does better than chance on these rows"),
            evidence=gathered(
                Evidence(
                    measure="permutation-p-value",
                    value=reference.p_value,
                    expected=SIGNAL,
                    text=f"over {reference.rows} rows shuffled labels fit as well (p = {reference.p_value:.2f})",
                ),
                Evidence(
                    measure="reference-skill",
                    value=reference.best,
                    expected=0.0,
                    text=f"held-out skill: {seen} (0 is the base rate)",
                ),
                _network(skill),
                Evidence(
                    measure="largest-possible-skill",
                    value=upper,
                    expected=NEGLIGIBLE,
                    text=f"what these learners can reach is at most about {upper:.2f} (one-sided 95 % bound)",
                ),
            ),
            rivals=(ScaleLearningRate(10), ScaleLearningRate(100), Widen(factor=8, layers=2)),
            conclusion=f"neither the reference learners on {reference.rows} rows nor other settings of this network do"
            " better than chance: better features or labels are needed, not another model",
            impairs=False,
            leads_to=(
                "memorising",
                "learning-rate-too-low",
                "learning-rate-too-high",
                "model-too-small",
                "dropout-too-strong",
                "weight-penalty-too-strong",
                "dying-relu",
                "vanishing-gradient",
            ),
        )


def _network(skill: Skill | None) -> Evidence | None:
    if skill is None or not np.isfinite(skill.held):
        return None
    text = f"the network has a training skill of {skill.train:.2f} and a held-out skill of {skill.held:.2f}"
    return Evidence(measure="held-out-skill", text=text, value=skill.held, expected=0.0)
