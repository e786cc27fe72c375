"""NaN or infinity in the targets."""

from __future__ import annotations

import numpy as np

from unstuck.experiments.interventions.rows import DropRows
from unstuck.finding import Evidence
from unstuck.measure.contract import Contract
from unstuck.measure.data import Data
from unstuck.measure.seen import gathered
from unstuck.measure.setup import Setup
from unstuck.measure.training.curve import Curve
from unstuck.rules.rule import Cleared, Example, NotApplicable, Rule, Suspect


class NonFiniteTargets(Rule):
    """The targets hold NaN or infinity.

    What it finds
    Training or validation targets that are not finite numbers: missing labels, a logarithm of 0, a shifted series
    whose last rows have no future.

    Why training stops
    The loss of such a row is NaN, and so is the mean over its batch, the gradient, and after one step every weight.

    What you see
    loss: nan from the batch that holds the first bad row, for good. With bad targets only in validation, val_loss: nan
    beside a training loss that falls.

    How it is proven
    By counting the targets, with the first step whose loss is not a number. The same network is trained with other rows
    in their place.

    When to ignore it
    When a loss of your own masks missing labels; a run that stays finite is cleared.

    References
    keras-team/keras#6921; question 37232782 on Stack Overflow.
    """

    code = "DAT202"
    severity = "error"
    sick = Example(
        """
y = y.copy()
y[::50] = np.nan
model = keras.Sequential([
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(1),
])
model.compile("adam", loss="mse")
model.fit(x, y, epochs=8, validation_data=(x_val, y_val), verbose=0)
""",
        data="regression",
    )
    healthy = Example(
        """
y = y.copy()
y[::50] = np.nan
known = np.isfinite(y)
model = keras.Sequential([
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(1),
])
model.compile("adam", loss="mse")
model.fit(x[known], y[known], epochs=20, validation_data=(x_val, y_val), verbose=0)
""",
        data="regression",
    )

    def check(
        self, setup: Setup, contract: Contract, data: Data, curve: Curve | None
    ) -> Cleared | NotApplicable | Suspect:
        if not contract.single:
            return NotApplicable("the model has several outputs")
        train, held = _bad(data.y, data.stats), _bad(data.held_y, data.held_stats)
        if not train and not held:
            return Cleared("all targets are finite", 0, 0)
        spoilt = curve is not None and curve.non_finite_step is not None
        if train and curve is not None and not spoilt and not contract.error:
            return Cleared("the loss handles the missing targets: it stayed finite", train, 0)
        if not train and not _nan(curve):
            return Cleared("only held-out targets are not finite, and the validation loss does not show it", held, 0)
        where, count = ("training", train) if train else ("validation", held)
        rows = np.flatnonzero(~_finite(data.y)[data.fit_rows])
        return Suspect(
            message=f"{count} {where} target{'s are' if count > 1 else ' is'} not finite",
            confidence="proven" if spoilt or not train else "likely",
            severity=None if train else "warning",
            location=setup.sources.argument(
                setup.sites["fit"],
                "y" if train else "validation_data",
                1 if train else None,
                label="holds NaN or infinity",
            )
            or setup.fit_location(),
            evidence=gathered(
                Evidence(
                    measure=f"non-finite-{where}-targets",
                    text=f"{count} of {data.rows if train else len(data.held_y)} {where} targets are NaN or infinite",
                    value=count,
                ),
                _first_nan(curve),
            ),
            cures=(DropRows("rows without a target", tuple(rows.tolist())),)
            if 0 < len(rows) < len(data.fit_rows)
            else (),
            conclusion="the loss of such a row is NaN, and so is every mean and every update that it enters",
            impairs=False,
            leads_to=(
                "swallowed-nan",
                "diverging-loss",
                "undefined-operation",
                "learning-rate-too-high",
                "dying-relu",
                "dead-relu-output",
                "no-signal",
                "unscaled-inputs",
                "unscaled-targets",
                "vanishing-gradient",
                "saturated-activation",
                "oversized-initialisation",
                "model-too-small",
            ),
        )


def _bad(y: np.ndarray, stats: object) -> int:
    """Targets that are not finite: over all rows where that was counted, else in the sample."""
    listed = stats.get("y") or [] if hasattr(stats, "get") else []
    counted = sum(int(about.get("non_finite", 0)) for about in listed)
    return max(counted, int((~_finite(y)).sum()))


def _finite(y: np.ndarray) -> np.ndarray:
    """Rows whose targets are all finite, (n,)."""
    return np.asarray(np.isfinite(y.reshape(len(y), -1).astype(np.float64)).all(axis=1))


def _nan(curve: Curve | None) -> bool:
    return curve is not None and len(curve.held) > 0 and not np.isfinite(curve.held).all()


def _first_nan(curve: Curve | None) -> Evidence | None:
    if curve is None or curve.non_finite_step is None:
        return None
    step = curve.non_finite_step
    return Evidence(measure="first-step-not-finite", text=f"the loss is not a number from step {step} on", value=step)
