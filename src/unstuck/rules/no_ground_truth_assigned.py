"""A detector that is given no objects."""

from __future__ import annotations

import re

import numpy as np

from unstuck.finding import Evidence
from unstuck.measure.setup import Setup
from unstuck.measure.training.logs import Logs
from unstuck.rules.rule import Cleared, Example, NotApplicable, Rule, Suspect

OBJECTS = re.compile(r"(^|_)(box|boxes|bbox|giou|ciou|dfl|objectness|rpn)(_|$)")
"""Names under which detectors print the parts of their loss that only objects contribute to."""


class NoGroundTruthAssigned(Rule):
    """The box loss of a detector is exactly 0: no object was assigned to any prediction.

    What it finds
    A printed loss named like that of boxes or objectness that is exactly 0 in every epoch.

    Why training stops
    Such a loss is averaged over the predictions that an object was assigned to. With empty annotations, boxes in the
    wrong format or in pixels instead of shares, none is, and the masked average is 0.

    What you see
    box_loss: 0.0000e+00 from the first epoch, while the background is learnt.

    How it is proven
    It is read off the printed losses and stays likely: whether the annotations or their format are at fault is for the
    eye to see.

    When to ignore it
    When that part is switched off on purpose.

    References
    meituan/YOLOv6#91; experiencor/keras-yolo2#314.
    """

    code = "OBJ106"
    severity = "warning"
    sick = Example(
        """
def masked(y_true, y_pred):
    there = y_true[:, :1]
    return keras.ops.sum(there * keras.ops.square(y_true[:, 1:] - y_pred), axis=-1)

boxes, boxes_val = np.zeros((len(x), 5)), np.zeros((len(x_val), 5))
inputs = keras.Input((30,))
hidden = keras.layers.Dense(16, activation="relu")(inputs)
heads = {
    "kind": keras.layers.Dense(1, activation="sigmoid", name="kind")(hidden),
    "box": keras.layers.Dense(4, name="box")(hidden),
}
model = keras.Model(inputs, heads)
model.compile("adam", loss={"kind": "binary_crossentropy", "box": masked})
model.fit(x, {"kind": y.reshape(-1, 1), "box": boxes}, epochs=4, verbose=0)
"""
    )
    healthy = Example(
        """
def masked(y_true, y_pred):
    there = y_true[:, :1]
    return keras.ops.sum(there * keras.ops.square(y_true[:, 1:] - y_pred), axis=-1)

boxes = np.concatenate([np.ones((len(x), 1)), x[:, :4]], axis=1)
inputs = keras.Input((30,))
hidden = keras.layers.Dense(16, activation="relu")(inputs)
heads = {
    "kind": keras.layers.Dense(1, activation="sigmoid", name="kind")(hidden),
    "box": keras.layers.Dense(4, name="box")(hidden),
}
model = keras.Model(inputs, heads)
model.compile("adam", loss={"kind": "binary_crossentropy", "box": masked})
model.fit(x, {"kind": y.reshape(-1, 1), "box": boxes}, epochs=4, verbose=0)
"""
    )

    def check(self, setup: Setup, logs: Logs) -> Cleared | NotApplicable | Suspect:
        found = {name: values for name, values in logs.series.items() if OBJECTS.search(name.lower())}
        if not found:
            return NotApplicable("no loss of boxes or objects is printed")
        empty = [name for name, values in found.items() if not np.any(values != 0)]
        if not empty:
            return Cleared(f"{', '.join(found)}: above 0")
        return Suspect(
            message=f"{empty[0]} is exactly 0 in every epoch: no object is assigned to any prediction",
            confidence="likely",
            location=setup.fit_location(),
            evidence=(
                Evidence(
                    measure="epochs-without-objects",
                    text=f"{empty[0]} is 0 in all {len(found[empty[0]])} epochs",
                    value=len(found[empty[0]]),
                ),
            ),
            scope={"loss": empty[0]},
            conclusion="a loss over assigned objects is exactly 0 only where there are none",
        )
