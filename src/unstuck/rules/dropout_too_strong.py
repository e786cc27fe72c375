"""CAP202: dropout that leaves too little to learn from."""

from __future__ import annotations

import numpy as np

from unstuck.experiments.interventions.dropout import DROPPING, SetDropout
from unstuck.experiments.interventions.learning_rate import ScaleLearningRate
from unstuck.finding import Evidence
from unstuck.measure.setup import Setup
from unstuck.measure.skill import Skill
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect

STRONG = 0.7
"""`rate` is the share that is *dropped*. Srivastava et al. (2014, section 7.3) found errors flat for rates from 0.2 to
0.6 and rising beyond; `keep_prob=0.8` of older code, handed over as a rate, lands here."""
MISTAKEN = 0.9
"""From here on few mean it; told even where it does no harm."""


class DropoutTooStrong(Rule):
    """
    What it finds:
    A dropout layer that drops 70 % or more of what it gets, in a network that does not learn what the data allow.

    Why training stops:
    At rate r a unit gets a gradient in one step of 1 / (1 - r), and what passes is scaled up by as much, so the signal
    is thin and noisy. A narrow layer may be dropped as a whole. Older code names the share that is *kept*; a keep
    probability of 0.9 given as `rate` drops 90 %.

    What you see:
    A training loss that is worse than the validation loss, noisy, and slow.

    How it is proven:
    Training runs with the kept share in place of the rate, and without dropout, from the same seeds.

    When to ignore it:
    In wide networks even 0.9 can train (measured: accuracy 0.996). It is only named when it costs something.

    References:
    Srivastava et al. 2014, "Dropout: A Simple Way to Prevent Neural Networks from Overfitting", section 7.3;
    keras/src/layers/regularization/dropout.py; bonlime/keras-deeplab-v3-plus issue 4; titu1994/Inception-v4 issue 5.
    """

    code = "CAP202"
    severity = "error"
    sick = Example(
        """
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dropout(0.95),
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dropout(0.95),
    keras.layers.Dense(3, activation="softmax"),
])
model.compile("adam", loss="sparse_categorical_crossentropy")
model.fit(x, y, validation_data=(x_val, y_val), epochs=15, verbose=0)
""",
        data="three-classes",
    )
    healthy = Example(
        """
model = keras.Sequential([
    keras.layers.Dense(64, activation="relu"),
    keras.layers.Dropout(0.5),
    keras.layers.Dense(3, activation="softmax"),
])
model.compile(keras.optimizers.Adam(0.01), loss="sparse_categorical_crossentropy")
model.fit(x, y, validation_data=(x_val, y_val), epochs=15, verbose=0)
""",
        data="three-classes",
    )

    def check(self, setup: Setup, skill: Skill | None) -> Judgement:
        dropping = [layer for layer in setup.layers if layer.kind in DROPPING]
        if not dropping:
            return NotApplicable("no dropout layer")
        layer = max(dropping, key=lambda one: float(one.config.get("rate") or 0.0))
        rate = float(layer.config.get("rate") or 0.0)
        if rate < STRONG:
            return Cleared(f"the largest dropout rate is {rate:g}", rate, STRONG)
        evidence = [
            Evidence(
                measure="dropout-rate",
                value=rate,
                expected=STRONG,
                text=f"'{layer.name}' drops {rate:.0%} of its inputs and keeps {1 - rate:.0%}",
            )
        ]
        if skill is not None and skill.evaluated_loss > 0 and np.isfinite(skill.reported_loss):
            ratio = skill.reported_loss / skill.evaluated_loss
            evidence.append(
                Evidence(
                    measure="training-over-evaluated-loss",
                    value=ratio,
                    expected=1.0,
                    text=f"with dropout the training loss is {skill.reported_loss:.4g}, without it, on the "
                    f"same rows and weights, {skill.evaluated_loss:.4g}",
                )
            )
        kept = round(1 - rate, 6)
        return Suspect(
            message=f"dropout of {rate:g} drops {rate:.0%} of '{layer.name}': the rate is the share dropped, not kept",
            location=setup.layer_location(layer, "rate", 0, f"keeps {1 - rate:.0%}"),
            related=tuple(setup.layer_location(one, "rate", 0) for one in dropping if one is not layer),
            evidence=tuple(evidence),
            cures=(SetDropout(kept), SetDropout(0.0)) if kept > 0 else (SetDropout(0.5), SetDropout(0.0)),
            rivals=(ScaleLearningRate(10),),
            harmless=f"dropout of {rate:g} keeps {1 - rate:.0%} of '{layer.name}': the rate is the share dropped"
            if rate >= MISTAKEN
            else "",
        )
