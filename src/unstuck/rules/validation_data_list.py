"""API101: validation data in a list."""

from __future__ import annotations

import ast

import numpy as np

from unstuck.finding import Evidence, Fix
from unstuck.measure.seen import gathered
from unstuck.measure.setup import Setup
from unstuck.measure.training.curve import Curve
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect


class ValidationDataList(Rule):
    """
    What it finds:
    validation_data=[x, y], a list, in a run whose validation loss is exactly 0 in every epoch.

    Why training stops:
    It does not. tf.keras 2 takes a list for the inputs alone; without targets there is no loss, and 0 is reported.

    What you see:
    val_loss: 0.0000e+00 and val_accuracy 0 beside a training loss that falls.

    How it is proven:
    From the list in the source and the recorded validation losses. Keras 3 unpacks a list as it does a tuple, so there
    the losses are not 0 and the run is cleared.

    When to ignore it:
    On Keras 3. A tuple is still the clearer form.

    References:
    tensorflow/tensorflow issue 39370; keras/src/trainers/data_adapters/data_adapter_utils.py
    (unpack_x_y_sample_weight).
    """

    code = "API101"
    severity = "error"
    sick = Example(
        """
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile("adam", loss="binary_crossentropy")
model.fit(x, y, validation_data=[x_val, y_val], epochs=4, verbose=0)
""",
        backends=(),  # needs Keras 2: Keras 3 reads the list as meant
    )
    healthy = Example(
        """
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy")
model.fit(x, y, validation_data=[x_val, y_val], epochs=15, verbose=0)
"""
    )

    def check(self, setup: Setup, curve: Curve) -> Judgement:
        call = setup.sources.call(setup.sites["fit"])
        given = next((k.value for k in call.keywords if k.arg == "validation_data"), None) if call else None
        if not isinstance(given, ast.List):
            return NotApplicable("validation data are not given as a list")
        if not len(curve.held) or np.any(curve.held != 0) or not np.any(curve.epochs != 0):
            return Cleared("the list was read as inputs and targets: the validation loss is not 0")
        place = setup.sources.argument(setup.sites["fit"], "validation_data", label="a list: inputs without targets")
        text = setup.sources.text(place)
        edit = setup.sources.replace(place, f"({text[1:-1]})") if text else None
        return Suspect(
            message="validation_data is a list, which is read as inputs without targets",
            confidence="proven",
            location=place,
            evidence=gathered(
                Evidence(
                    measure="validation-losses-of-zero",
                    value=len(curve.held),
                    text=f"val_loss is exactly 0 in all {len(curve.held)} epochs; the training loss is "
                    f"{curve.epochs[-1]:.4g}",
                )
            ),
            conclusion="without targets no validation loss is computed",
            impairs=False,
            fix=Fix(
                title="give validation_data as a tuple",
                applicability="suggested" if edit else "sketch",
                edits=(edit,) if edit else (),
            ),
        )
