"""Class numbers that the output has no unit for."""

from __future__ import annotations

import numpy as np

from unstuck.experiments.interventions.head import ReplaceHead
from unstuck.finding import Edit, Evidence, Fix
from unstuck.measure.contract import Contract, output_units
from unstuck.measure.data import Data
from unstuck.measure.room import Room
from unstuck.measure.seen import fit_raised, gathered
from unstuck.measure.setup import SPARSE, Setup
from unstuck.measure.task import MAX_CLASSES
from unstuck.measure.training.curve import Curve
from unstuck.rules.rule import Cleared, Example, NotApplicable, Rule, Suspect

MANY = 0.2
"""From this share of labels on a whole class is outside: with five balanced classes one of them has 0.2 of the rows."""


class LabelsOutOfRange(Rule):
    """Sparse labels below 0, or as large as the number of output units or larger.

    What it finds
    Class numbers outside 0 to units - 1 under sparse categorical cross-entropy: numbered from 1, a -1 or 255 for
    "none", character codes, fewer units than classes.

    Why training stops
    The loss takes the probability of the unit with the label's number. There is none. JAX makes an empty one-hot row of
    it, whose loss is 0, so that class is never learnt; TensorFlow on a GPU gives NaN; TensorFlow on a CPU and PyTorch
    raise.

    What you see
    An InvalidArgumentError or IndexError about the label's value; or, on JAX, nothing but a loss that is too small, 0
    when every label is outside.

    How it is proven
    By comparing the labels with the number of units.

    When to ignore it
    When you rely on JAX to skip a "none" label; `ignore_class` in the loss says so on every backend, and is cleared.

    References
    keras/src/backend/jax/nn.py (sparse_categorical_crossentropy); rstudio/keras3#465; tensorflow/tensorflow#8484.
    """

    code = "DAT103"
    severity = "error"
    echo_of = ("categorical-loss-on-one-unit", "softmax-on-one-unit")
    sick = Example(
        """
model = keras.Sequential([
    keras.Input((13,)),
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(3, activation="softmax"),
])
model.compile("adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y + 1, epochs=8, validation_data=(x_val, y_val + 1), verbose=0)
""",
        data="three-classes",
    )
    healthy = Example(
        """
model = keras.Sequential([
    keras.Input((13,)),
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(3, activation="softmax"),
])
model.compile("adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=30, validation_data=(x_val, y_val), verbose=0)
""",
        data="three-classes",
    )

    def check(
        self, setup: Setup, contract: Contract, data: Data, curve: Curve | None, room: Room | None
    ) -> Cleared | NotApplicable | Suspect:
        if setup.loss.name not in SPARSE or setup.loss.custom or setup.custom_train_step:
            return NotApplicable("the loss is not sparse categorical cross-entropy")
        units = output_units(setup, contract)
        if not contract.single or units is None or units < 2:
            return NotApplicable("the number of classes of the output is not known")
        labels = data.finite_y
        labels = labels[labels != (setup.loss.config or {}).get("ignore_class")]
        if not labels.size:
            return NotApplicable("there are no labels")
        low, high = int(labels.min()), int(labels.max())
        share = float(((labels < 0) | (labels >= units)).mean())
        if not share:
            return Cleared(f"labels go from {low} to {high}; the output has {units} units", high, units - 1)
        shifted = low > 0 and high - low < units
        harmless = not shifted and share < MANY and room is not None and not room.exists
        cure = ReplaceHead(setup.head.activation, setup.loss.name, high + 1, from_logits=setup.loss.from_logits)
        return Suspect(
            message=f"labels go from {low} to {high}, and the output has the classes 0 to {units - 1}",
            confidence="proven",
            severity="warning" if harmless else None,
            location=setup.sources.argument(setup.sites["fit"], "y", 1, label="these labels") or setup.fit_location(),
            related=(setup.layer_location(setup.head.layer, "units", 0, label=f"{units} classes"),),
            evidence=gathered(
                Evidence(
                    measure="labels-out-of-range",
                    text=f"{share:.1%} of the labels have no unit",
                    value=share,
                    expected=0.0,
                ),
                fit_raised(contract),
                _loss_zero(curve),
            ),
            cures=(cure,) if low >= 0 and high < MAX_CLASSES else (),
            fix=_renumber(setup, low) if shifted or low < 0 else None,
            conclusion="no output unit stands for these labels, so they cannot be learnt",
            leads_to=(
                "model-too-small",
                "memorising",
                "no-signal",
                "label-format-mismatch",
                "swallowed-nan",
                "diverging-loss",
            ),
        )


def _loss_zero(curve: Curve | None) -> Evidence | None:
    if curve is None or not len(curve.losses) or np.any(curve.losses != 0):
        return None
    count = len(curve.losses)
    return Evidence(measure="steps-with-loss-zero", text=f"the loss is exactly 0 in all {count} steps", value=count)


def _renumber(setup: Setup, low: int) -> Fix:
    place = setup.sources.argument(setup.sites["fit"], "y", 1)
    name = setup.sources.text(place)
    edit: Edit | None = setup.sources.replace(place, f"{name} - {low}") if name.isidentifier() and low > 0 else None
    return Fix(
        title="number the classes from 0, in training and validation alike",
        applicability="sketch",
        edits=(edit,) if edit else (),
        alternative='ignore_class in the loss, where the label means "none"',
    )
