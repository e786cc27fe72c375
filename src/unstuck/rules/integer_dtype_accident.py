"""Integer arithmetic where fractions were meant."""

from __future__ import annotations

import numpy as np

from unstuck.finding import Evidence, Fix, Location
from unstuck.measure.code.casts import Casts
from unstuck.measure.contract import Contract, output_units
from unstuck.measure.data import Data
from unstuck.measure.seen import gathered, loss_at_chance
from unstuck.measure.setup import SPARSE, Setup
from unstuck.measure.skill import Skill
from unstuck.rules.rule import Cleared, Example, NotApplicable, Rule, Suspect

WRAPPED = 255
"""0 - 1 in uint8."""
FEW = 2
"""Distinct values that bytes divided by 255 and cut to whole numbers can take: 0 and 1."""
RANK = 3
"""Rank of inputs from which they are images or sequences of numbers; tables of zeros and ones are one-hot columns."""


class IntegerDtypeAccident(Rule):
    """Whole-number arithmetic threw the values away.

    What it finds
    Inputs of only 0 and 1 (or only 0) where the source divides and then casts to an integer or divides with `//`, and
    the label 255 that 0 - 1 gives in uint8.

    Why training stops
    (x / 255).astype("uint8") and x // 255 are 0 for every byte below 255: the images are gone. A label of 255 has no
    output unit.

    What you see
    A plateau at the base rate with inputs of zeros; or an error about the label 255, which on JAX is silent.

    How it is proven
    The expression is read from the source and the values from the recorded rows.

    When to ignore it
    When inputs are meant to be 0 and 1; then a network that learns clears the rule.

    References
    numpy.org/doc/stable/user/basics.types.html (overflow errors); keras-team/keras#2975.
    """

    code = "DAT205"
    severity = "error"
    sick = Example(
        """
images, images_val = (200 * x).astype("uint8"), (200 * x_val).astype("uint8")
images, images_val = (images / 255).astype("uint8"), (images_val / 255).astype("uint8")
model = keras.Sequential([
    keras.layers.Flatten(),
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(10, activation="softmax"),
])
model.compile("adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(images, y, epochs=3, validation_data=(images_val, y_val), verbose=0)
""",
        data="images",
    )
    healthy = Example(
        """
images, images_val = (200 * x).astype("uint8"), (200 * x_val).astype("uint8")
images, images_val = images.astype("float32") / 255, images_val.astype("float32") / 255
model = keras.Sequential([
    keras.layers.Flatten(),
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(10, activation="softmax"),
])
model.compile("adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(images, y, epochs=20, validation_data=(images_val, y_val), verbose=0)
""",
        data="images",
    )

    def check(
        self, setup: Setup, contract: Contract, data: Data, casts: Casts, skill: Skill | None
    ) -> Cleared | NotApplicable | Suspect:
        label = _wrapped_label(setup, contract, data)
        if label is not None:
            return label
        if len(data.x) != 1 or data.x[0].ndim < RANK or not data.x[0].size:
            return NotApplicable("the inputs are not images")
        values = np.unique(data.x[0])
        if len(values) > FEW or not np.isin(values, (0, 1)).all():
            return Cleared(f"the inputs have {len(values)} values", len(values), FEW)
        if not casts.cuts:
            return Cleared("the inputs are 0 and 1, and the source cuts no fraction to a whole number")
        empty = len(values) == 1
        cut = casts.cuts[0]
        share = float((data.x[0] != 0).mean())
        return Suspect(
            message="the inputs are only 0 and 1: a fraction was cut to a whole number"
            if not empty
            else "all inputs are 0: a fraction was cut to a whole number",
            confidence="proven" if empty else "likely",
            severity=None if empty else "warning",
            location=cut.location,
            related=(_inputs(setup),),
            evidence=gathered(
                Evidence(
                    measure="nonzero-inputs",
                    text=f"{share:.1%} of the input values are not 0; there are {len(values)} different values",
                    value=share,
                ),
                Evidence(measure="cut", text=f"the source says {cut.text}"),
                loss_at_chance(skill),
            ),
            fix=Fix(title='divide in floating point: x.astype("float32") / 255', applicability="sketch"),
            conclusion="equal inputs get equal answers, so no weight can make the answers follow the labels"
            if empty
            else "",
            leads_to=("blank-inputs", "rescaled-twice", "contradictory-labels", "no-signal", "unscaled-inputs"),
        )


def _wrapped_label(setup: Setup, contract: Contract, data: Data) -> Suspect | None:
    """Labels 1 to C less 1 in uint8, with 0 among them: 255 beside 0 to C - 2."""
    units = output_units(setup, contract)
    if data.y.dtype != np.uint8 or setup.loss.name not in SPARSE or not contract.single or not units:
        return None
    values = np.unique(data.y)
    if values[-1] != WRAPPED or units > WRAPPED or len(values) < 2 or values[-2] != units - 2:
        return None
    if (setup.loss.config or {}).get("ignore_class") == WRAPPED:
        return None
    rows = int((data.y == WRAPPED).sum())
    return Suspect(
        message="label 255 is what 0 - 1 gives in uint8",
        confidence="proven",
        location=setup.sources.argument(setup.sites["fit"], "y", 1, label="these labels") or setup.fit_location(),
        evidence=(
            Evidence(
                measure="wrapped-labels",
                text=f"{rows} uint8 labels are 255; the others go from {values[0]} to {values[-2]}, and the output has"
                f" {units} units",
                value=rows,
            ),
        ),
        fix=Fix(title='cast the labels before subtracting: y.astype("int32") - 1', applicability="sketch"),
        conclusion="no output unit stands for 255, and one unit has no label",
        leads_to=("labels-out-of-range", "no-signal", "model-too-small", "memorising"),
    )


def _inputs(setup: Setup) -> Location | None:
    return setup.sources.argument(setup.sites["fit"], "x", 0, label="whole numbers")
