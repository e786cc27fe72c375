"""ACT104: hidden layers without an activation."""

from __future__ import annotations

import numpy as np

from unstuck.experiments.interventions.activations import ReplaceActivations
from unstuck.experiments.interventions.widen import Widen
from unstuck.finding import Evidence
from unstuck.measure.reference import Reference
from unstuck.measure.setup import AFFINE, Layer, Setup
from unstuck.measure.skill import Skill
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect

MARGIN = 0.05
"""Gap in skill that is worth a word; the same as `measure.room.MARGIN`."""
POOLING = frozenset({"MaxPooling1D", "MaxPooling2D", "GlobalMaxPooling1D", "GlobalMaxPooling2D"})
"""The only bend that a convolutional network without activations has left."""


class NoNonlinearity(Rule):
    """
    What it finds:
    Hidden layers none of which has an activation, where the data bend.

    Why training stops:
    A linear map of a linear map is a linear map. Without activations a network of any depth and width is one straight
    line (a plane), and training stops at the best line there is. More units or layers do not help.

    What you see:
    A plateau at the loss of a linear model: 0.6933 on exclusive-or, the variance of the rest on a curve. Training and
    validation agree.

    How it is proven:
    That the network is linear follows from its layers. That it matters is measured: a linear model and boosted trees
    are fitted to the same rows, then the hidden layers get ReLU, from the same seeds. More linear units are tried
    beside it and should not help.

    When to ignore it:
    When a straight line fits as well as anything; such runs are cleared.

    References:
    Goodfellow, Bengio, Courville 2016, "Deep Learning", section 6.1; Stack Overflow question 61706535.
    """

    code = "ACT104"
    severity = "error"
    sick = Example(
        """
a, b = np.median(x[:, 0]), np.median(x[:, 1])
y, y_val = ((x[:, 0] > a) != (x[:, 1] > b)), ((x_val[:, 0] > a) != (x_val[:, 1] > b))
x, x_val = x[:, :2], x_val[:, :2]
model = keras.Sequential([
    keras.layers.Dense(32),
    keras.layers.Dense(32),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy")
model.fit(x, y.astype("float32"), validation_data=(x_val, y_val.astype("float32")), epochs=30, verbose=0)
""",
        data="noise",
    )
    healthy = Example(
        """
a, b = np.median(x[:, 0]), np.median(x[:, 1])
y, y_val = ((x[:, 0] > a) != (x[:, 1] > b)), ((x_val[:, 0] > a) != (x_val[:, 1] > b))
x, x_val = x[:, :2], x_val[:, :2]
model = keras.Sequential([
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy")
model.fit(x, y.astype("float32"), validation_data=(x_val, y_val.astype("float32")), epochs=30, verbose=0)
""",
        data="noise",
    )

    def check(self, setup: Setup, skill: Skill, reference: Reference) -> Judgement:
        before = setup.before_head
        linear = [layer for layer in before if layer.units]
        if not linear:
            return NotApplicable("no hidden layer with units")
        bent = next((layer for layer in before if _bends(layer)), None)
        if bent is not None or setup.model_kind == "subclassed":
            name = f"'{bent.name}' ({bent.kind})" if bent else "the model's own call"
            return Cleared(f"{name} is not linear")
        bend, lacking = reference.best - reference.linear, reference.best - max(skill.best, skill.train)
        if bend < MARGIN:
            return Cleared(
                f"a straight line is enough here: linear {reference.linear:.2f}, trees {reference.best:.2f}",
                bend,
                MARGIN,
            )
        if lacking < MARGIN:
            return Cleared(
                f"the network reaches {skill.train:.2f}, other learners {reference.best:.2f}", lacking, MARGIN
            )
        pooled = any(layer.kind in POOLING for layer in before)
        line = "hardly more than a straight line" if pooled else "a straight line"
        count = f"{len(linear)} hidden layer{'s have' if len(linear) > 1 else ' has'} no activation"
        return Suspect(
            message=f"{count}, so the network is {line}",
            location=setup.layer_location(linear[0], label="no activation"),
            related=tuple(setup.layer_location(layer, label="no activation") for layer in linear[1:]),
            evidence=(
                Evidence(
                    measure="layers-without-activation",
                    value=len(linear),
                    of=len(linear),
                    text=f"{count}: " + ", ".join(f"'{layer.name}'" for layer in linear[:4]),
                ),
                Evidence(
                    measure="linear-skill",
                    value=reference.linear,
                    expected=reference.best,
                    text=f"the best straight line scores {reference.linear:.2f}, boosted trees {reference.best:.2f}, "
                    f"the network {skill.train:.2f} on its training rows"
                    + (f" and {skill.held:.2f} on held-out rows" if np.isfinite(skill.held) else ""),
                ),
            ),
            cures=(ReplaceActivations("relu", "he_normal", of=("linear",)),),
            rivals=(Widen(factor=8, layers=0),),
            leads_to=("model-too-small",),
        )


def _bends(layer: Layer) -> bool:
    return not layer.builtin or layer.kind not in AFFINE | POOLING or layer.activation != "linear"
