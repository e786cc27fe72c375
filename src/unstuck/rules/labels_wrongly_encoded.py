"""Two classes that are not 0 and 1, and class numbers that are no whole numbers."""

from __future__ import annotations

import numpy as np

from unstuck.experiments.interventions.recode_labels import RecodeLabels
from unstuck.finding import Evidence, Fix
from unstuck.measure.contract import AN_INDEX, Contract, output_units, paired
from unstuck.measure.data import Data
from unstuck.measure.room import Room
from unstuck.measure.seen import gathered
from unstuck.measure.setup import BINARY, SPARSE, Setup
from unstuck.measure.task import MAX_CLASSES, Task
from unstuck.measure.training.curve import Curve
from unstuck.rules.rule import Cleared, Example, NotApplicable, Rule, Suspect

BYTE = 255
"""White in an 8-bit mask."""


class LabelsWronglyEncoded(Rule):
    """Binary cross-entropy is given two labels that are not 0 and 1, or sparse cross-entropy gets fractions.

    What it finds
    Labels -1 and 1, 1 and 2, or 0 and 255 (a mask read from an image), under binary cross-entropy. Class numbers that
    were divided as the inputs were, `y / 255`, under sparse categorical cross-entropy.

    Why training stops
    The loss -y log p - (1 - y) log(1 - p) is meant for y between 0 and 1. For a y outside it has no lowest value: the
    output is pushed towards 0 or 1 for ever, and with labels 1 and 2 or 0 and 255 in the same direction for all rows.
    Sparse categorical cross-entropy takes a label for an index and cuts it to a whole number: fractions below 1 are all
    class 0, which is learnt at once.

    What you see
    A loss below 0 that keeps falling; accuracy that is 0 or the share of one class; predictions of exactly 0 or 1. With
    fractions a loss that is soon 0, and an accuracy near 0.

    How it is proven
    By the values of the labels. Where the labels can be told apart the network is also trained with 0 and 1.

    When to ignore it
    Never with this loss: use hinge for -1 and 1.

    References
    keras/src/losses/losses.py (BinaryCrossentropy); keras-team/keras#1917, #13926; qubvel/segmentation_models#403.
    """

    code = "DAT104"
    severity = "error"
    sick = Example(
        """
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile("adam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y + 1, epochs=20, validation_data=(x_val, y_val + 1), verbose=0)
"""
    )
    healthy = Example(
        """
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile("adam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=20, validation_data=(x_val, y_val), verbose=0)
"""
    )

    def check(
        self, setup: Setup, contract: Contract, data: Data, task: Task | None, curve: Curve | None, room: Room | None
    ) -> Cleared | NotApplicable | Suspect:
        keras_own = not setup.loss.custom and paired(setup, contract)
        if setup.loss.name in SPARSE and keras_own:
            return _fractions(setup, contract, data)
        if setup.loss.name not in BINARY or not keras_own:
            return NotApplicable("the loss is not binary cross-entropy")
        finite = data.finite_y
        if not finite.size:
            return NotApplicable("there are no labels")
        low, high = float(finite.min()), float(finite.max())
        if low >= 0 and high <= 1:
            return Cleared("the labels lie between 0 and 1", high, 1.0)
        values = np.unique(finite)
        mask = data.y.ndim > 2 and low == 0 and high == BYTE
        if len(values) != 2 and not mask:
            return NotApplicable(f"the targets have {len(values)} values, which are not two classes")
        said = "from 0 to 255" if len(values) > 2 else f"{values[0]:g} and {values[1]:g}"
        cure = RecodeLabels(low, high)
        readable = task is not None and task.kind == "binary"
        learnt = readable and room is not None and not room.exists
        return Suspect(
            message=f"the labels are {said}, and binary cross-entropy takes 0 and 1",
            confidence="proven",
            severity="warning" if learnt else None,
            location=setup.sources.argument(setup.sites["fit"], "y", 1, label="these labels") or setup.fit_location(),
            related=(setup.loss_location("takes probabilities"),),
            evidence=gathered(
                Evidence(
                    measure="largest-label",
                    text=f"the labels are {said}",
                    value=high if high > 1 else low,
                    expected=1.0,
                ),
                _below_zero(curve),
            ),
            cures=(cure,) if readable else (),
            fix=cure.edit(setup),
            conclusion="for a label outside 0 to 1 this loss has no lowest value: it can always fall further without"
            " the answers getting better",
            leads_to=(
                "class-loss-on-regression",
                "bounded-output",
                "unscaled-targets",
                "diverging-loss",
                "learning-rate-too-high",
                "saturated-activation",
                "no-signal",
                "class-imbalance",
                "integer-dtype-accident",
                "accuracy-resolved-wrong",
            ),
        )


def _fractions(setup: Setup, contract: Contract, data: Data) -> Cleared | NotApplicable | Suspect:
    """Class numbers that were divided, as `y / 255` beside `x / 255`."""
    values = np.unique(data.finite_y)
    left = np.unique(np.trunc(values))
    if not len(values) or np.array_equal(values, np.round(values)):
        return Cleared("the labels are whole numbers", len(left), len(values))
    units = output_units(setup, contract)
    if len(values) > (units or MAX_CLASSES):
        return NotApplicable("there are more different labels than outputs: see class-loss-on-regression")
    kept = "all are 0" if left.tolist() == [0.0] else f"{len(left)} of them are left"
    return Suspect(
        message=f"the labels are {len(values)} fractions, and {setup.loss.name.replace('_', ' ')} takes class numbers: "
        f"cut to whole numbers {kept}",
        confidence="proven",
        location=setup.sources.argument(setup.sites["fit"], "y", 1, label="these labels") or setup.fit_location(),
        related=(setup.loss_location("takes class numbers"),),
        evidence=(
            Evidence(
                measure="labels-left",
                text=f"the labels lie between {values[0]:.4g} and {values[-1]:.4g}; as whole numbers {kept}",
                value=len(left),
                expected=len(values),
            ),
        ),
        impairs=False,
        conclusion=AN_INDEX,
        fix=Fix(
            title=f"hand over whole class numbers from 0 to {len(values) - 1}, in training and validation alike; "
            "only inputs are scaled",
            applicability="sketch",
        ),
        leads_to=("no-signal", "constant-target", "class-imbalance", "too-few-updates", "accuracy-resolved-wrong"),
    )


def _below_zero(curve: Curve | None) -> Evidence | None:
    if curve is None or not np.isfinite(curve.lowest) or curve.lowest >= 0:
        return None
    text = f"the loss falls below 0, to {curve.lowest:.4g}: a cross-entropy cannot"
    return Evidence(measure="lowest-loss", text=text, value=curve.lowest, expected=0.0)
