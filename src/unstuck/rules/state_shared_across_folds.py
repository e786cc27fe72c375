from __future__ import annotations

from unstuck.experiments.interventions.fresh_weights import FreshWeights
from unstuck.finding import Evidence
from unstuck.measure.leakage.folds import Folds
from unstuck.measure.setup import Setup
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect

SEEN = 0.05
"""Share of the held-out rows that were trained on before, from which the score is no longer of new rows."""


class StateSharedAcrossFolds(Rule):
    """
    What it finds:
    Cross-validation that goes on with one model: each fold begins with weights that were trained on its held-out
    rows.

    Why training stops:
    It does not: from the second fold on, validation measures memory. The mean over the folds is too good, and the
    spread between them says nothing.

    What you see:
    Each fold starts where the last one ended; the score rises from fold to fold.

    How it is proven:
    The first weights of this fit are the last ones of an earlier fit, value by value, and rows held out here were
    trained on there. The price is measured by training this fold from fresh weights.

    When to ignore it:
    When the model is to be fine-tuned; then hold out rows that no earlier fit has seen.

    References:
    https://github.com/keras-team/keras/issues/13872
    """

    code = "LEK304"
    severity = "error"
    sick = Example(
        """
y = np.random.default_rng(0).permutation(y)
fold = np.arange(len(y)) % 3
model = keras.Sequential([
    keras.Input((x.shape[1],)),
    keras.layers.Dense(128, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.Adam(0.003), loss="binary_crossentropy")
for k in range(3):
    train, test = fold != k, fold == k
    model.fit(x[train], y[train], validation_data=(x[test], y[test]), epochs=40, verbose=0)
""",
    )
    healthy = Example(
        """
fold = np.arange(len(y)) % 3
for k in range(3):
    model = keras.Sequential([
        keras.Input((x.shape[1],)),
        keras.layers.Dense(16, activation="relu"),
        keras.layers.Dense(1, activation="sigmoid"),
    ])
    model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy")
    train, test = fold != k, fold == k
    model.fit(x[train], y[train], validation_data=(x[test], y[test]), epochs=15, verbose=0)
""",
    )

    def check(self, folds: Folds, setup: Setup) -> Judgement:
        if not folds.held:
            return NotApplicable("there is one fit only, or nothing was held out")
        if not folds.before:
            return Cleared("the fit begins with weights that no earlier fit left")
        text = f"{folds.seen} of {folds.held} held-out rows were trained on by an earlier fit of the same weights"
        if folds.seen < max(3, SEEN * folds.held) or not folds.new:
            return Cleared(text, folds.seen / folds.held, SEEN)
        numbers = ", ".join(str(i + 1) for i in folds.before)
        return Suspect(
            message=text,
            confidence="proven",
            location=setup.fit_location("goes on with the weights of the fold before"),
            related=(setup.sources.location(setup.sites["model"], "built once, before the loop"),),
            evidence=(
                Evidence(measure="held-out-rows-trained-on-before", text=text, value=folds.seen, of=folds.held),
                Evidence(
                    measure="weights-carried-over",
                    text=f"its first weights are the last of fit {folds.before[-1] + 1} (trained in fit {numbers})",
                    value=len(folds.before),
                ),
            ),
            cures=(FreshWeights(),),
            harm=True,
            impairs=False,
            conclusion="the recorded weights are equal and the row fingerprints show what they were trained on",
            leads_to=("overlapping-rows",),
            fix=FreshWeights().edit(setup),
        )
