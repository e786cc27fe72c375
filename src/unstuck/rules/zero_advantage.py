"""Advantages as sample weights that are negative."""

from __future__ import annotations

from unstuck.finding import Evidence
from unstuck.measure.contract import UNPAIRED, Contract, paired
from unstuck.measure.data import Data
from unstuck.measure.setup import BINARY, CATEGORICAL, SPARSE, Setup
from unstuck.measure.training.curve import Curve
from unstuck.rules.rule import Cleared, Example, NotApplicable, Rule, Suspect


class ZeroAdvantage(Rule):
    """A policy is trained by cross-entropy with advantages as weights, and some are negative.

    What it finds
    Negative sample weights under a cross-entropy, with a loss that has gone below 0. Weights that are all 0 are found
    by zero-sample-weights.

    Why training stops
    -A log p has no lowest value where A is negative: the loss falls as the action becomes impossible, and without end.
    Where all advantages are 0 there is no gradient at all.

    What you see
    A loss that is negative and falls faster and faster, then NaN; or 0.

    How it is proven
    By the sign of the recorded weights; whether it does harm is for the reward to say.

    When to ignore it
    When the policy improves: a policy gradient has such a loss, and its value means nothing.

    References
    Williams 1992, "Simple statistical gradient-following algorithms" (a baseline centres the returns).
    philtabor/Youtube-Code-Repository#18; maxpumperla/deep_learning_and_the_game_of_go#90.
    """

    code = "OBJ108"
    severity = "warning"
    sick = Example(
        """
advantage = np.where(np.arange(len(y)) % 2, 1.0, -1.0)
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy")
model.fit(x, y, sample_weight=advantage, epochs=20, validation_data=(x_val, y_val), verbose=0)
"""
    )
    healthy = Example(
        """
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile("adam", loss="binary_crossentropy")
model.fit(x, y, sample_weight=np.ones(len(y)), epochs=20, validation_data=(x_val, y_val), verbose=0)
"""
    )

    def check(
        self, setup: Setup, contract: Contract, data: Data, curve: Curve | None
    ) -> Cleared | NotApplicable | Suspect:
        if data.weight is None or setup.loss.name not in BINARY | CATEGORICAL | SPARSE:
            return NotApplicable("no sample weights are given to a cross-entropy")
        if not paired(setup, contract):
            return NotApplicable(UNPAIRED)
        negative = float((data.weight < 0).mean())
        if not negative:
            return Cleared("no sample weight is negative", negative, 0.0)
        if curve is None or not curve.lowest < 0:
            return Cleared("the loss stayed above 0 in spite of negative weights")
        place = setup.sources.argument(setup.sites["fit"], "sample_weight", label="negative for some rows", whole=True)
        return Suspect(
            message=f"{negative:.0%} of the sample weights are negative: the loss falls as those answers get worse",
            confidence="likely",
            location=place or setup.fit_location(),
            related=(setup.loss_location("times the weight"),),
            evidence=(
                Evidence(
                    measure="negative-weights",
                    text=f"the weights go from {data.weight.min():.3g} to {data.weight.max():.3g}, mean"
                    f" {data.weight.mean():.3g}",
                    value=negative,
                    expected=0.0,
                ),
                Evidence(
                    measure="lowest-loss", text=f"the loss fell to {curve.lowest:.4g}", value=curve.lowest, expected=0.0
                ),
            ),
            conclusion="a cross-entropy times a negative weight has no lowest value",
            leads_to=("diverging-loss", "learning-rate-too-high", "non-finite-step", "saturated-loss-clip"),
        )
