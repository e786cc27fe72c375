"""A constant column divided by its standard deviation of 0."""

from __future__ import annotations

import numpy as np

from unstuck.experiments.interventions.drop_features import DropFeatures
from unstuck.finding import Evidence, Fix
from unstuck.measure.contract import Contract
from unstuck.measure.data import Data, shortened
from unstuck.measure.seen import first_non_finite, gathered
from unstuck.measure.setup import Setup
from unstuck.measure.training.curve import Curve
from unstuck.rules.rule import Cleared, Example, NotApplicable, Rule, Suspect

MEAN, SPREAD = 0.1, 0.2
"""How far a column may be from mean 0 and standard deviation 1 to count as standardised: the statistics may come from
somewhat other rows (all of them, before a split)."""


class ConstantFeatureStandardised(Rule):
    """A column without variation was standardised by hand: 0 / 0.

    What it finds
    Columns of the inputs that hold no number at all, only NaN or infinity, beside columns that are standardised.

    Why training stops
    (x - mean) / std is 0 / 0 in a column that does not vary. One NaN in a row makes its output NaN, and this column
    has one in every row.

    What you see
    loss: nan from the first batch; or, on TensorFlow with ReLU, a plateau at the variance or the entropy of the labels.

    How it is proven
    By counting: no entry of the column is a number, and the other columns have mean 0 and standard deviation 1.

    When to ignore it
    Never; a constant column that became 0 does no harm and is not reported.

    References
    keras-team/keras#2134, #2001; scikit-learn's StandardScaler divides by 1 in such a column.
    """

    code = "DAT203"
    severity = "error"
    sick = Example(
        """
x, x_val = (np.column_stack([a, np.full(len(a), 7)]).astype("float32") for a in (x, x_val))
mean, sd = x.mean(axis=0), x.std(axis=0)
with np.errstate(invalid="ignore"):
    x, x_val = (x - mean) / sd, (x_val - mean) / sd
model = keras.Sequential([
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(1),
])
model.compile("adam", loss="mse")
model.fit(x, y, epochs=4, validation_data=(x_val, y_val), verbose=0)
""",
        data="regression",
    )
    healthy = Example(
        """
x, x_val = (np.column_stack([a, np.full(len(a), 7)]).astype("float32") for a in (x, x_val))
mean, sd = x.mean(axis=0), x.std(axis=0)
sd[sd == 0] = 1
x, x_val = (x - mean) / sd, (x_val - mean) / sd
model = keras.Sequential([
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(1),
])
model.compile("adam", loss="mse")
model.fit(x, y, epochs=20, validation_data=(x_val, y_val), verbose=0)
""",
        data="regression",
    )

    def check(
        self, setup: Setup, contract: Contract, data: Data, curve: Curve | None
    ) -> Cleared | NotApplicable | Suspect:
        if not data.tabular or len(data.x) != 1 or data.x[0].ndim != 2:
            return NotApplicable("the inputs are not one table")
        finite = np.isfinite(data.x[0].astype(np.float64))
        empty = np.flatnonzero(~finite.any(axis=0))
        if not len(empty):
            return Cleared("every column holds numbers", 0, 0)
        standardised = _standardised(data.x[0][:, finite.all(axis=0)].astype(np.float64))
        if standardised < 0.5:
            return NotApplicable("a column holds no number, but the others are not standardised: see non-finite-inputs")
        names = tuple(map(data.column, empty.tolist()))
        shown = shortened(names)
        return Suspect(
            message=f"{shown} {'is' if len(names) == 1 else 'are'} NaN in every row: standardised without varying",
            confidence="proven",
            location=setup.sources.argument(setup.sites["fit"], "x", 0, label="0 / 0 in a column")
            or setup.fit_location(),
            evidence=gathered(
                Evidence(
                    measure="columns-without-a-number",
                    text=f"{shown}: no number in {len(finite)} rows",
                    value=len(empty),
                    of=finite.shape[1],
                ),
                Evidence(
                    measure="standardised-columns",
                    text=f"{standardised:.0%} of the other columns have mean 0 and standard deviation 1",
                    value=standardised,
                    expected=1.0,
                ),
                first_non_finite(curve),
            ),
            cures=(DropFeatures(tuple(int(j) for j in empty), names),),
            fix=Fix(
                title="leave out columns that do not vary, or divide them by 1",
                applicability="sketch",
                alternative="sklearn.preprocessing.StandardScaler, which does so",
            ),
            conclusion="every row has a NaN, so every output and every update is NaN",
            impairs=False,
            leads_to=(
                "non-finite-inputs",
                "swallowed-nan",
                "diverging-loss",
                "undefined-operation",
                "learning-rate-too-high",
                "dying-relu",
                "dead-relu-output",
                "no-signal",
                "unscaled-inputs",
                "vanishing-gradient",
                "saturated-activation",
                "oversized-initialisation",
            ),
        )


def _standardised(columns: np.ndarray) -> float:
    """Share of varying columns with mean 0 and standard deviation 1."""
    spread, mean = columns.std(axis=0), columns.mean(axis=0)
    varying = spread > 0
    if not varying.any():
        return 0.0
    return float(((np.abs(mean) < MEAN) & (np.abs(spread - 1) < SPREAD))[varying].mean())
