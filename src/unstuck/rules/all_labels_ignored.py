"""API106: the loss ignores all labels, or all of a class."""

from __future__ import annotations

import numpy as np

from unstuck.experiments.interventions.ignore_class import CountEveryClass
from unstuck.finding import Evidence
from unstuck.measure.contract import Contract
from unstuck.measure.data import Data
from unstuck.measure.seen import gathered, zero_loss
from unstuck.measure.setup import Setup
from unstuck.measure.training.curve import Curve
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect


class AllLabelsIgnored(Rule):
    """
    What it finds:
    A loss with ignore_class whose ignored value is what all labels have, or what the rows of one class of the task
    have.

    Why training stops:
    Positions with the ignored label are left out of the loss. Where all of them are, the loss is an empty sum; where
    those of one class are, that class is never learnt.

    What you see:
    loss: 0.0000e+00 on Keras 3 (nan on Keras 2) in every step, or one class that is never predicted.

    How it is proven:
    By counting labels. Where one class is left out, the network is trained with it from the same seeds.

    When to ignore it:
    When the ignored value marks positions without a label, as void pixels do.

    References:
    keras/src/losses/losses.py (sparse_categorical_crossentropy, ignore_class); keras-team/tf-keras issue 734.
    """

    code = "API106"
    severity = "error"
    sick = Example(
        """
y, y_val = np.zeros_like(y), np.zeros_like(y_val)
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(3, activation="softmax"),
])
model.compile("adam", loss=keras.losses.SparseCategoricalCrossentropy(ignore_class=0))
model.fit(x, y, validation_data=(x_val, y_val), epochs=3, verbose=0)
""",
        data="three-classes",
    )
    healthy = Example(
        """
y[::4] = -1
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(3, activation="softmax"),
])
model.compile(keras.optimizers.Adam(0.01), loss=keras.losses.SparseCategoricalCrossentropy(ignore_class=-1))
model.fit(x, y, validation_data=(x_val, y_val), epochs=30, verbose=0)
""",
        data="three-classes",
    )

    def check(self, setup: Setup, contract: Contract, data: Data, curve: Curve | None) -> Judgement:
        ignored = (setup.loss.config or {}).get("ignore_class")
        if ignored is None or not contract.single:
            return NotApplicable("no class is ignored")
        share = float((data.y == ignored).mean())
        if share == 1:
            return self._suspect(setup, curve, int(ignored), share, held=0)
        held = int((data.held_y == ignored).sum())
        if 0 <= ignored < (contract.width or 0) and share > 0 and held and data.held_kind != "holdout":
            return self._suspect(setup, curve, int(ignored), share, held=held)
        return Cleared(f"{share:.0%} of the labels are ignored", share, 1.0)

    def _suspect(self, setup: Setup, curve: Curve | None, ignored: int, share: float, held: int) -> Suspect:
        every = share == 1
        counted = bool(np.isfinite(share)) and not every
        return Suspect(
            message=f"the loss ignores {'every label' if every else f'class {ignored}, which is evaluated'}",
            confidence="proven" if every else "likely",
            severity="error" if every else "warning",
            location=setup.loss_location(f"ignore_class={ignored}"),
            evidence=gathered(
                Evidence(
                    measure="ignored-labels",
                    value=share,
                    expected=1.0,
                    text=f"{share:.0%} of the training labels are {ignored}, the ignored class",
                ),
                Evidence(measure="held-out-ignored", value=held, text=f"{held} held-out labels are {ignored}")
                if held
                else None,
                zero_loss(curve),
            ),
            cures=(CountEveryClass(),) if counted else (),
            fix=CountEveryClass().edit(setup) if every else None,
            conclusion="a loss over no labels has no gradient" if every else "",
            leads_to=("constant-target", "labels-out-of-range", "silent-missing-gradient", "loss-ignores-predictions",
                      "learning-rate-too-low", "too-few-updates", "labels-wrongly-encoded", "class-imbalance"),
        )  # fmt: skip
