"""The floor that label smoothing puts under the loss."""

from __future__ import annotations

import numpy as np

from unstuck.finding import Evidence
from unstuck.measure.contract import UNPAIRED, Contract, paired
from unstuck.measure.data import Data
from unstuck.measure.setup import BINARY, CATEGORICAL, Setup
from unstuck.measure.skill import Skill
from unstuck.rules.rule import Cleared, Example, NotApplicable, Rule, Suspect

CLOSE = 0.5
"""Share of the way from the loss of knowing nothing to the floor after which the floor is what is left of the loss."""


class LabelSmoothingFloor(Rule):
    """With smoothed labels a perfect network still has a loss.

    What it finds
    A cross-entropy with label_smoothing above 0 whose loss has come near the lowest value that it can have.

    Why training stops
    It does not. Smoothing moves a share of every label to the other classes, and the loss can never be below the
    entropy of such a label: 0.8669 for ten classes and a smoothing of 0.2.

    What you see
    A loss that settles at a number well above 0 while the answers are right.

    How it is proven
    The entropy of the smoothed labels is computed from the recorded ones and put beside the loss.

    When to ignore it
    Always, once known: what counts is the excess over the floor.

    References
    Szegedy et al. 2016, "Rethinking the Inception Architecture". keras/src/losses/losses.py (label_smoothing);
    keras-team/keras#8993.
    """

    code = "OUT123"
    severity = "note"
    sick = Example(
        """
y, y_val = keras.utils.to_categorical(y, 3), keras.utils.to_categorical(y_val, 3)
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(3, activation="softmax"),
])
loss = keras.losses.CategoricalCrossentropy(label_smoothing=0.2)
model.compile(keras.optimizers.Adam(0.01), loss=loss, metrics=["accuracy"])
model.fit(x, y, epochs=20, validation_data=(x_val, y_val), verbose=0)
""",
        data="three-classes",
    )
    healthy = Example(
        """
y, y_val = keras.utils.to_categorical(y, 3), keras.utils.to_categorical(y_val, 3)
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(3, activation="softmax"),
])
model.compile(keras.optimizers.Adam(0.01), loss="categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=20, validation_data=(x_val, y_val), verbose=0)
""",
        data="three-classes",
    )

    def check(self, setup: Setup, contract: Contract, data: Data, skill: Skill) -> Cleared | NotApplicable | Suspect:
        smoothing = float((setup.loss.config or {}).get("label_smoothing") or 0.0)
        if setup.loss.custom or setup.loss.name not in BINARY | CATEGORICAL or not smoothing:
            return NotApplicable("the labels are not smoothed")
        if not paired(setup, contract) or "focal" in setup.loss.name:
            return NotApplicable(UNPAIRED if "focal" not in setup.loss.name else "focal losses have another floor")
        floor, chance = _entropies(data.y.astype(np.float64), smoothing, binary=setup.loss.name in BINARY)
        loss = skill.reported_loss
        if not np.isfinite([floor, chance, loss]).all() or chance <= floor:
            return NotApplicable("the floor or the loss is not known")
        gone = (chance - loss) / (chance - floor)
        if gone < CLOSE:
            return Cleared(f"the loss of {loss:.4g} is far above the floor of {floor:.4g}", loss, floor)
        return Suspect(
            message=f"with label_smoothing={smoothing:g} the loss cannot fall below {floor:.4f}",
            confidence="proven",
            location=setup.loss_location(f"smooths by {smoothing:g}"),
            evidence=(
                Evidence(
                    measure="loss-over-floor",
                    text=f"the loss ended at {loss:.4f}, {loss - floor:.4f} above its floor",
                    value=loss,
                    expected=floor,
                ),
            ),
            conclusion="a cross-entropy is never below the entropy of its labels, and smoothing gives each label one",
            impairs=False,
        )


def _entropies(y: np.ndarray, smoothing: float, *, binary: bool) -> tuple[float, float]:
    """Mean entropy of the smoothed labels and entropy of their mean: the floor, and the loss of knowing nothing."""
    if binary:
        p = y.reshape(len(y), -1) * (1 - smoothing) + 0.5 * smoothing
        both = np.stack([p, 1 - p])
        return float(_cross(both, both).sum(0).mean()), float(_cross(both, both.mean(1, keepdims=True)).sum(0).mean())
    p = y.reshape(-1, y.shape[-1]) * (1 - smoothing) + smoothing / y.shape[-1]
    return float(_cross(p, p).sum(-1).mean()), float(_cross(p, p.mean(0, keepdims=True)).sum(-1).mean())


def _cross(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    return np.asarray(-p * np.log(np.clip(q, 1e-12, 1)))
