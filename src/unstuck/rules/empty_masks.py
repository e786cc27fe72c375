"""Masks under an overlap loss that are empty, or not 0 and 1."""

from __future__ import annotations

import re

import numpy as np

from unstuck.experiments.interventions.recode_labels import RecodeLabels
from unstuck.finding import Evidence
from unstuck.measure.contract import UNPAIRED, Contract, paired
from unstuck.measure.data import Data
from unstuck.measure.seen import gathered
from unstuck.measure.setup import Setup
from unstuck.measure.training.curve import Curve
from unstuck.rules.rule import Cleared, Example, NotApplicable, Rule, Suspect

OVERLAP = re.compile(r"dice|tversky|jaccard|\biou\b|_iou|iou_")
"""Names of losses that compare areas: 2 |A and B| / (|A| + |B|) and its relatives."""
MOST = 0.9
"""Share of empty masks from which answering nothing everywhere is as good as perfect."""


class EmptyMasks(Rule):
    """An overlap loss is given masks that are empty, or that go up to 255.

    What it finds
    Targets of 0 and 255 under Dice, Tversky or an IoU loss, or masks that are empty in nearly all rows.

    Why training stops
    The overlap 2yp / (y + p) is a share only for 0 and 1. With 255 it goes up to 2, and the loss below 0 whatever is
    answered. Empty masks make it 0 / 0, which smoothing turns into a perfect score for answering nothing.

    What you see
    A loss that is negative, above 1, or 0 from the start.

    How it is proven
    By the values of the recorded masks.

    When to ignore it
    When most images really are empty and the others are learnt.

    References
    keras/src/losses/losses.py (dice, tversky). qubvel/segmentation_models#177; qubvel/segmentation_models#403.
    """

    code = "OBJ107"
    severity = "error"
    sick = Example(
        """
masks, masks_val = 255 * (x > 0.5).astype("float32"), 255 * (x_val > 0.5).astype("float32")
model = keras.Sequential([
    keras.layers.Flatten(),
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(64, activation="sigmoid"),
    keras.layers.Reshape((8, 8, 1)),
])
model.compile(keras.optimizers.Adam(0.01), loss=keras.losses.Dice())
model.fit(x, masks, epochs=4, validation_data=(x_val, masks_val), verbose=0)
""",
        data="images",
    )
    healthy = Example(
        """
masks, masks_val = (x > 0.5).astype("float32"), (x_val > 0.5).astype("float32")
model = keras.Sequential([
    keras.layers.Flatten(),
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(64, activation="sigmoid"),
    keras.layers.Reshape((8, 8, 1)),
])
model.compile(keras.optimizers.Adam(0.01), loss=keras.losses.Dice())
model.fit(x, masks, epochs=10, validation_data=(x_val, masks_val), verbose=0)
""",
        data="images",
    )

    def check(
        self, setup: Setup, contract: Contract, data: Data, curve: Curve | None
    ) -> Cleared | NotApplicable | Suspect:
        if not OVERLAP.search(setup.loss.name.lower()):
            return NotApplicable("the loss compares no areas")
        if not paired(setup, contract):
            return NotApplicable(UNPAIRED)
        y = np.nan_to_num(data.y.astype(np.float64)).reshape(len(data.y), -1)
        low, high = float(y.min(initial=0)), float(y.max(initial=0))
        empty = float((y == 0).all(axis=1).mean())
        if low < 0 or high > 1:
            return self._scale(setup, low, high, curve)
        if empty < MOST:
            return Cleared(f"the masks lie between 0 and 1, and {empty:.0%} of them are empty", empty, MOST)
        return Suspect(
            message=f"{empty:.0%} of the masks are empty, and an empty answer to them counts as perfect",
            confidence="proven" if empty == 1 else "likely",
            severity="error" if empty == 1 else "warning",
            location=setup.sources.argument(setup.sites["fit"], "y", 1, label="empty masks") or setup.fit_location(),
            related=(setup.loss_location("compares areas"),),
            evidence=(
                Evidence(
                    measure="empty-masks",
                    text=f"{empty:.1%} of the {len(y)} recorded masks hold nothing but 0",
                    value=empty,
                    of=len(y),
                ),
            ),
            conclusion="there is no area to overlap with" if empty == 1 else "",
            leads_to=("constant-target", "blank-inputs", "sparse-targets", "learning-rate-too-low", "no-signal"),
        )

    def _scale(self, setup: Setup, low: float, high: float, curve: Curve | None) -> Suspect:
        return Suspect(
            message=f"the masks go from {low:g} to {high:g}, and an overlap is one of 0 and 1",
            confidence="proven",
            location=setup.sources.argument(setup.sites["fit"], "y", 1, label=f"{low:g} to {high:g}")
            or setup.fit_location(),
            related=(setup.loss_location("compares areas"),),
            evidence=gathered(
                Evidence(measure="largest-target", text=f"the largest target is {high:g}", value=high, expected=1.0),
                Evidence(
                    measure="lowest-loss", text=f"the loss reached {curve.lowest:.4g}", value=curve.lowest, expected=0.0
                )
                if curve is not None and np.isfinite(curve.lowest)
                else None,
            ),
            fix=RecodeLabels(low, high).edit(setup),
            conclusion="2yp / (y + p) is a share of an area only where y is 0 or 1",
            leads_to=(
                "labels-wrongly-encoded",
                "unscaled-targets",
                "bounded-output",
                "integer-dtype-accident",
                "learning-rate-too-low",
                "too-few-updates",
                "saturated-activation",
            ),
        )
