"""A few extreme values that squash the others together."""

from __future__ import annotations

import numpy as np

from unstuck.experiments.interventions.cut_outliers import CutOutliers
from unstuck.experiments.interventions.learning_rate import ScaleLearningRate
from unstuck.finding import Evidence
from unstuck.measure.data import Data, shortened
from unstuck.measure.quartiles import SQUASHED, quartile_scale, squashed
from unstuck.measure.seen import gathered, loss_at_chance
from unstuck.measure.setup import Setup
from unstuck.measure.skill import Skill
from unstuck.rules.rule import Cleared, Example, NotApplicable, Rule, Suspect


class OutliersSetTheScale(Rule):
    """A few extreme values set the scale of a column, and squash all others together.

    What it finds
    Columns of which the middle half lies within 1/50 of the standard deviation: missing values that are written as
    -9999, a broken sensor, amounts over many powers of ten.

    Why training stops
    A scaler divides by a deviation, or a range, that the extreme rows made. In all other rows the column is then one
    number, and what would tell them apart is drowned by biases; where nothing was scaled, by the extreme rows' steps.

    What you see
    A loss near that of the base rate although the columns look standardised; trees learn from the same table at once.

    How it is proven
    The same network is trained from the same seeds on columns scaled by median and quartiles, with what is further out
    cut off, beside a higher rate and a placebo.

    When to ignore it
    When the extreme rows are what the model is for.

    References
    Huber 1981, Robust Statistics; scikit-learn, "Compare the effect of different scalers on data with outliers".
    """

    code = "DAT209"
    severity = "error"
    echo_of = ("non-finite-inputs", "constant-feature-standardised", "softmax-on-one-unit", "everything-frozen")
    sick = Example(
        """
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

x[np.random.default_rng(0).random(x.shape) < 0.02] = -99999
x, x_val, y, y_val = train_test_split(x, y, test_size=0.25, random_state=0, stratify=y)
scaler = StandardScaler().fit(x)
x, x_val = scaler.transform(x), scaler.transform(x_val)
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile("adam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=30, validation_data=(x_val, y_val), verbose=0)
""",
        data="raw",
    )
    healthy = Example(
        """
x[0, 0], x[1, 1] = 60, -60
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile("adam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=30, validation_data=(x_val, y_val), verbose=0)
"""
    )

    def check(self, setup: Setup, data: Data, skill: Skill | None) -> Cleared | NotApplicable | Suspect:
        if len(data.x) != 1 or data.x[0].ndim != 2 or data.x[0].dtype.kind != "f":
            return NotApplicable("the inputs are not one table of numbers")
        table = data.x[0].astype(np.float64)
        ratio = squashed(table)
        if not np.isfinite(ratio).any():
            return NotApplicable("no column varies in the middle half of its rows")
        worst, found = int(ratio.argmin()), np.flatnonzero(ratio < SQUASHED)
        if not len(found):
            text = (
                f"the middle half of {data.column(worst)} spans {ratio[worst]:.2g} of its deviation, the least of all"
            )
            return Cleared(text, float(ratio[worst]), SQUASHED)
        shown = shortened([data.column(number) for number in found.tolist()])
        values = table[np.isfinite(table[:, worst]), worst]
        middle, spread = (float(v[0]) for v in quartile_scale(values[:, None]))
        return Suspect(
            message=f"a few extreme values set the scale of {shown}, and squash the other rows together",
            location=setup.sources.argument(setup.sites["fit"], "x", 0, label="these inputs") or setup.fit_location(),
            evidence=gathered(
                Evidence(
                    measure="squashed-columns",
                    text=f"{len(found)} of {len(ratio)} columns have half of their rows within 1/50 of a deviation",
                    value=len(found),
                    of=len(ratio),
                ),
                Evidence(
                    measure="middle-over-deviation",
                    text=f"{data.column(worst)}: the middle half spans {ratio[worst]:.2g} of the deviation; "
                    f"the furthest row is {np.abs(values - middle).max() / spread:,.3g} such spans away",
                    value=float(ratio[worst]),
                    expected=1.0,
                ),
                loss_at_chance(skill),
            ),
            cures=(CutOutliers(),),
            rivals=(ScaleLearningRate(10.0),),
            leads_to=(
                "unscaled-inputs",
                "dying-relu",
                "saturated-activation",
                "diverging-loss",
                "learning-rate-too-high",
                "learning-rate-too-low",
                "vanishing-gradient",
                "momentum-oscillation",
                "too-few-updates",
                "model-too-small",
                "no-signal",
                "memorising",
            ),
        )
