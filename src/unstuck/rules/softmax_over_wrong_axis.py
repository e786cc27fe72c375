"""Softmax over another axis than that of the classes."""

from __future__ import annotations

import numpy as np

from unstuck.experiments.interventions.head import ReplaceHead
from unstuck.experiments.source_edits import fix
from unstuck.finding import Evidence
from unstuck.measure.contract import UNPAIRED, Contract, paired, plain_output, width_of_activation
from unstuck.measure.replay import Replay
from unstuck.measure.room import Room
from unstuck.measure.seen import gathered
from unstuck.measure.setup import Setup
from unstuck.rules.rule import Cleared, Example, NotApplicable, Rule, Suspect


class SoftmaxOverWrongAxis(Rule):
    """Softmax divides by a sum over rows, pixels or time steps instead of over classes.

    What it finds
    A Softmax layer at the output whose axis is the batch, or any other axis than the one the loss reads classes from.

    Why training stops
    The outputs of one row do not sum to 1. Over the batch axis, the answer for a row depends on which other rows it is
    asked with, and the loss teaches each class to be rare rather than each row to be right.

    What you see
    A plateau, and predictions that change with the batch size: predict(x[:1]) is 1 for every class.

    How it is proven
    From the axis in the layer's configuration, for any weights. The same network with softmax along the classes is
    trained from the same seeds.

    When to ignore it
    In attention weights inside a network, which this rule does not look at.

    References
    keras/src/layers/activations/softmax.py. tensorflow/tensorflow#48647; keras-team/keras#19189.
    """

    code = "OUT104"
    severity = "error"
    sick = Example(
        """
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(3),
    keras.layers.Softmax(axis=0),
])
model.compile(keras.optimizers.Adam(0.01), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=20, validation_data=(x_val, y_val), verbose=0)
""",
        data="three-classes",
    )
    healthy = Example(
        """
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(3),
    keras.layers.Softmax(),
])
model.compile(keras.optimizers.Adam(0.01), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=20, validation_data=(x_val, y_val), verbose=0)
""",
        data="three-classes",
    )

    def check(
        self, setup: Setup, contract: Contract, replay: Replay | None, room: Room | None
    ) -> Cleared | NotApplicable | Suspect:
        acting = setup.head.activation_layer
        if acting.kind != "Softmax":
            return NotApplicable("the output does not end with a Softmax layer")
        if not paired(setup, contract):
            return NotApplicable(UNPAIRED)
        axis, rank = acting.config.get("axis", -1), len(contract.shape or ())
        if not isinstance(axis, int) or not plain_output(setup):
            return NotApplicable("the softmax does not give the output along one axis")
        if width_of_activation(setup) == 1:
            return NotApplicable("softmax over an axis of length one: see softmax-on-one-unit")
        classes = int((setup.loss.config or {}).get("axis", -1))
        places = {axis, axis - rank if axis >= 0 and rank else axis}
        if places & {classes, classes - rank if classes >= 0 and rank else classes}:
            return Cleared("softmax works along the axis of the classes")
        if axis != 0 and not rank:
            return NotApplicable("the rank of the output is not known")
        batch = axis in (0, -rank)
        return Suspect(
            message=f"softmax sums over {'the rows of the batch' if batch else f'axis {axis}'}, not over the classes",
            confidence="proven",
            severity="error" if batch or room is None or room.exists else "warning",
            location=setup.layer_location(acting, "axis", 0, "the batch" if batch else "not the classes"),
            related=(setup.loss_location("reads classes from the last axis"),),
            evidence=gathered(_sums(replay)),
            scope={"layer": acting.name},
            cures=(ReplaceHead("softmax"),),
            fix=fix(
                "apply softmax along the classes", [setup.sources.set_argument(acting.site, "axis", str(classes), 0)]
            ),
            conclusion="the answer for one row depends on the other rows of its batch, for any weights"
            if batch
            else "the outputs of one answer need not sum to 1, for any weights",
            leads_to=("learning-rate-too-low", "vanishing-gradient", "too-few-updates", "model-too-small"),
        )


def _sums(replay: Replay | None) -> Evidence | None:
    if replay is None or not replay.train_outputs.size or not np.isfinite(replay.train_outputs).all():
        return None
    sums = replay.train_outputs.sum(axis=-1)
    low, high = float(sums.min()), float(sums.max())
    text = f"the outputs of one answer sum to between {low:.3g} and {high:.3g}"
    return Evidence(measure="output-row-sum", text=text, value=float(sums.mean()), expected=1.0)
