"""OPT110: a loop that throws away in each pass what the last one learnt."""

from __future__ import annotations

from unstuck.experiments.interventions.keep_model import KeepModel
from unstuck.finding import Evidence
from unstuck.measure.setup import Setup
from unstuck.measure.training.curve import STILL_FALLING, Curve
from unstuck.measure.training.repeats import Repeats
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect

SHORT = 5
"""Epochs a pass. Training that is repeated on purpose, for the spread over seeds, runs to its end each time."""


class ModelRebuiltInLoop(Rule):
    """
    What it finds:
    Several short fits of the same network on the same rows from one line of code, each with new weights.

    Why training stops:
    Building the model in the loop gives it fresh weights in each pass, and compiling it there gives it a fresh
    optimiser. However often the loop runs, the network is never older than one pass.

    What you see:
    A loss that falls a little in every pass, and starts again where it began.

    How it is proven:
    Rows, layers, starting losses and the step counts of the optimisers are compared over the recorded fits. Then one
    model is trained for the epochs of all passes together.

    When to ignore it:
    Cross-validation and repeats with several seeds are no fault: there the rows differ, or each pass runs to its end.

    References:
    keras-team/keras issues 13750, 3704.
    """

    code = "OPT110"
    severity = "error"
    sick = Example(
        """
for epoch in range(4):
    model = keras.Sequential([
        keras.Input((64,)),
        keras.layers.Dense(32, activation="relu"),
        keras.layers.Dense(10, activation="softmax"),
    ])
    model.compile("adam", loss="sparse_categorical_crossentropy")
    model.fit(x.reshape(-1, 64), y, validation_data=(x_val.reshape(-1, 64), y_val), epochs=1, verbose=0)
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
model.compile(keras.optimizers.SGD(0.3), loss="sparse_categorical_crossentropy")
model.fit(x.reshape(-1, 64), y, validation_data=(x_val.reshape(-1, 64), y_val), epochs=16, verbose=0)
""",
        data="images",
    )

    def check(self, setup: Setup, repeats: Repeats, curve: Curve) -> Judgement:
        if repeats.count < 2:
            return NotApplicable("no other fit of this network on these rows")
        if repeats.position < repeats.count:
            return NotApplicable(f"judged at the last of {repeats.count} fits")
        if not repeats.anew:
            return Cleared(f"the {repeats.count} fits go on with the same model", repeats.count)
        ran = len(curve.epochs) or setup.epochs
        if ran > SHORT and not curve.falling > STILL_FALLING:
            return Cleared(f"each of the {repeats.count} fits ran for {ran} epochs", ran, SHORT)
        if curve.diverged:
            return NotApplicable("the loss left the numbers")
        starts = ", ".join(f"{value:.4g}" for value in repeats.first[:4])
        ends = ", ".join(f"{value:.4g}" for value in repeats.last[:4])
        return Suspect(
            message=f"the model is built anew for each of {repeats.count} fits",
            location=setup.sources.location(setup.sites["model"], "built in every pass")
            or setup.fit_location("starts anew"),
            evidence=(
                Evidence(
                    measure="fits-from-new-weights",
                    value=repeats.count,
                    text=f"{repeats.count} fits of {ran} epoch{'s' if ran > 1 else ''} from one line, on the same "
                    f"rows, all at step 0 of their optimiser",
                ),
                Evidence(measure="restarting-loss", text=f"they begin at {starts} and end at {ends}"),
            ),
            cures=(KeepModel(repeats.count),),
            leads_to=("too-few-updates", "learning-rate-too-low", "stopped-in-warm-up"),
        )
