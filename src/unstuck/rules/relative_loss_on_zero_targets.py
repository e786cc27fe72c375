"""A relative error of targets that are 0."""

from __future__ import annotations

import numpy as np

from unstuck.experiments.intervention import Intervention
from unstuck.experiments.interventions.loss import SetLoss
from unstuck.experiments.interventions.rows import DropRows
from unstuck.finding import Evidence
from unstuck.measure.contract import UNPAIRED, Contract, paired
from unstuck.measure.data import Data
from unstuck.measure.replay import Replay
from unstuck.measure.seen import gathered
from unstuck.measure.setup import Setup
from unstuck.rules.rule import Cleared, Example, NotApplicable, Rule, Suspect

EPSILON = 1e-7
"""keras.config.epsilon(): the least that mean_absolute_percentage_error divides by."""
TINY = 1e-3
"""A target this small beside the median one weighs a thousand times as much as a common row."""
MOST = 0.5
"""Share of the loss from which the tiny targets decide the direction of a step."""
BOTH = 0.05
"""Share of targets on either side of 0 at least: fewer may be slips, and a few wrong signs are no scale around 0."""


class RelativeLossOnZeroTargets(Rule):
    """A percentage error divides by targets that are 0.

    What it finds
    Mean absolute percentage error with targets that are 0 or a thousand times smaller than the common ones.

    Why training stops
    Keras divides by the target, or by 1e-7 where it is smaller. One row with the target 0 then weighs as much as
    millions of others, and the network learns to answer 0 to everything.

    What you see
    A loss of 1e7 to 1e9 that hardly moves, and predictions near 0.

    How it is proven
    The share of the loss that comes from these rows is computed from the recorded predictions. The same network is
    trained with the absolute error, and without these rows, from the same seeds.

    When to ignore it
    When such rows are few and the run is good; then the rule is cleared. The logarithmic error divides by nothing and
    takes targets of 0 as they are.

    References
    keras/src/losses/losses.py (mean_absolute_percentage_error). keras-team/keras#2908; question 62957334 on Stack
    Overflow.
    """

    code = "OUT124"
    severity = "error"
    sick = Example(
        """
y, y_val = y - y.min() + 1, y_val - y.min() + 1
y[::10] = 0
model = keras.Sequential([
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(1),
])
model.compile(keras.optimizers.Adam(0.01), loss="mape")
model.fit(x, y, epochs=20, validation_data=(x_val, y_val), verbose=0)
""",
        data="regression",
    )
    healthy = Example(
        """
y, y_val = y - y.min() + 1, y_val - y.min() + 1
model = keras.Sequential([
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(1),
])
model.compile(keras.optimizers.Adam(0.01), loss="mape")
model.fit(x, y, epochs=10, validation_data=(x_val, y_val), verbose=0)
""",
        data="regression",
    )

    def check(
        self, setup: Setup, contract: Contract, data: Data, replay: Replay | None
    ) -> Cleared | NotApplicable | Suspect:
        if setup.loss.name != "mean_absolute_percentage_error" or setup.loss.custom:
            return NotApplicable("the loss is not a percentage error")
        if not paired(setup, contract):
            return NotApplicable(UNPAIRED)
        size = np.abs(data.y.astype(np.float64)).reshape(len(data.y), -1)
        common = float(np.median(size[size > 0])) if (size > 0).any() else 0.0
        tiny = size <= TINY * common
        if not tiny.any():
            if min((data.y < 0).mean(), (data.y > 0).mean()) > BOTH:
                return _around_zero(setup, data)
            return Cleared(f"the smallest target is {size.min():.3g}, the common one {common:.3g}", float(size.min()))
        rows = np.flatnonzero(tiny.any(axis=1))
        share = _share_of_loss(data, replay, tiny)
        if np.isfinite(share) and share < MOST:
            return Cleared(f"the rows with tiny targets make {share:.0%} of the loss", share, MOST)
        positions = tuple(np.flatnonzero(np.isin(data.fit_rows, rows)).tolist())
        cures: tuple[Intervention, ...] = (SetLoss("mean_absolute_error"),)
        if len(rows) < len(size):
            cures += (DropRows("rows with a target near 0", positions),)
        return Suspect(
            message=f"the percentage error divides by {len(rows)} targets that are 0 or nearly so",
            confidence="likely",
            location=setup.loss_location("divides by the target"),
            related=(setup.sources.argument(setup.sites["fit"], "y", 1, label=f"{len(rows)} rows near 0"),),
            evidence=gathered(
                Evidence(
                    measure="rows-with-tiny-targets",
                    text=f"{len(rows)} of {len(size)} targets are below {TINY:g} of the common {common:.3g}",
                    value=len(rows),
                    of=len(size),
                ),
                Evidence(measure="share-of-loss", text=f"they make {share:.2%} of the loss", value=share, expected=0.0)
                if np.isfinite(share)
                else None,
            ),
            cures=cures,
            leads_to=(
                "learning-rate-too-low",
                "learning-rate-too-high",
                "diverging-loss",
                "momentum-oscillation",
                "too-few-updates",
                "model-too-small",
            ),
        )


def _around_zero(setup: Setup, data: Data) -> Suspect:
    below = float((data.y < 0).mean())
    return Suspect(
        message="the percentage error divides by the target, and the targets lie on both sides of 0",
        confidence="likely",
        location=setup.loss_location("divides by the target"),
        evidence=(
            Evidence(
                measure="targets-below-zero",
                text=f"{below:.0%} of the targets are below 0; the closer to 0, the more an error counts",
                value=below,
            ),
        ),
        cures=(SetLoss("mean_absolute_error"),),
        leads_to=("learning-rate-too-low", "too-few-updates", "model-too-small"),
    )


def _share_of_loss(data: Data, replay: Replay | None, tiny: np.ndarray) -> float:
    if replay is None or replay.train_outputs.size == 0:
        return float("nan")
    n = len(replay.train_outputs)
    y, answers = data.y[:n].reshape(n, -1).astype(np.float64), replay.train_outputs.reshape(n, -1)
    if y.shape != answers.shape or not np.isfinite(answers).all():
        return float("nan")
    error = np.abs(y - answers) / np.maximum(np.abs(y), EPSILON)
    return float(error[tiny[:n]].sum() / max(error.sum(), 1e-30))
