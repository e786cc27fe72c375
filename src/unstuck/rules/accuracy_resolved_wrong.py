"""API109: the accuracy that Keras printed is not that of the predictions."""

from __future__ import annotations

import numpy as np

from unstuck.finding import Evidence, Fix
from unstuck.measure.seen import gathered
from unstuck.measure.setup import Setup
from unstuck.measure.skill import Skill
from unstuck.measure.task import Task
from unstuck.measure.training.printed import PrintedAccuracy
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect

APART = 0.15
"""Difference in accuracy that rounding, sampling of the recorded rows and dropout cannot make."""


class AccuracyResolvedWrong(Rule):
    """
    What it finds:
    A val_accuracy whose last value, and every earlier one, is far from the accuracy of the recorded predictions.

    Why training stops:
    It does not; the metric is another one. keras.metrics.Accuracy compares probabilities with labels for equality, and
    the name "accuracy" has been resolved to the wrong function after load_model.

    What you see:
    A loss that falls to a good value beside an accuracy near 0, or near chance.

    How it is proven:
    Accuracy is computed from the recorded predictions on the same held-out rows and compared with what was printed.

    When to ignore it:
    When the metric is meant to be stricter than the share of right answers.

    References:
    keras/src/metrics/accuracy_metrics.py (Accuracy); keras/src/trainers/compile_utils.py (get_metric).
    """

    code = "API109"
    severity = "warning"
    echo_of = ("accuracy-on-logits", "binary-loss-on-one-hot", "accuracy-on-regression", "batchnorm-statistics-cold",
               "sigmoid-with-categorical-loss", "label-format-mismatch")  # fmt: skip
    sick = Example(
        """
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy", metrics=[keras.metrics.Accuracy()])
model.fit(x, y, validation_data=(x_val, y_val), epochs=15, verbose=0)
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
"""
    )

    def check(self, setup: Setup, printed: PrintedAccuracy, skill: Skill, task: Task) -> Judgement:
        if not task.is_classes or not len(printed.held) or not np.isfinite(skill.held_accuracy):
            return NotApplicable("no accuracy was printed for held-out classes")
        # Weights of an earlier epoch may have been put back at the end, so every epoch's value counts.
        apart = float(np.abs(printed.held - skill.held_accuracy).min())
        if apart < APART:
            return Cleared("the printed accuracy is that of the predictions", apart, APART)
        return Suspect(
            message=f"accuracy {printed.held[-1]:.3f} was printed; {skill.held_accuracy:.3f} of the answers are right",
            confidence="proven",
            location=setup.compile_location("metrics", 3, "another metric than the share of right answers"),
            evidence=gathered(
                Evidence(
                    measure="accuracy-of-the-predictions",
                    value=skill.held_accuracy,
                    expected=float(printed.held[-1]),
                    text=f"val_accuracy was between {printed.held.min():.3f} and {printed.held.max():.3f} in all "
                    f"epochs; {skill.held_accuracy:.3f} of the recorded answers are right",
                )
            ),
            conclusion="both are computed on the same rows with the same weights, so the metric is another one",
            impairs=False,
            fix=Fix(title='compile with metrics=["accuracy"]', applicability="sketch"),
        )
