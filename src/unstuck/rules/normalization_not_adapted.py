"""A Normalization layer that was never adapted."""

from __future__ import annotations

import numpy as np

from unstuck.experiments.interventions.adapt import AdaptNormalization
from unstuck.experiments.interventions.learning_rate import ScaleLearningRate
from unstuck.finding import Evidence
from unstuck.measure.data import Data
from unstuck.measure.network.normalisers import Normalisers
from unstuck.measure.seen import gathered, loss_at_chance
from unstuck.measure.setup import Layer, Setup
from unstuck.measure.skill import Skill
from unstuck.measure.training.ending import Ending
from unstuck.rules.rule import Cleared, Example, NotApplicable, Rule, Suspect

FAR = 3.0
"""Root mean square of a column from which inputs count as unscaled beside a layer that was meant to scale them; within
a factor of 3 of 1 initial weights and usual rates do as well as at 1. Nothing is said without a trial."""
BUILT_LATE = "Normalization.build"
"""In what JAX raises where a layer that was not adapted makes its mean and variance inside a compiled step."""


class NormalizationNotAdapted(Rule):
    """A Normalization layer passes the inputs on as they are.

    What it finds
    A Normalization layer with neither a mean and a variance of its own nor a call of `adapt`, before inputs that need
    scaling.

    Why training stops
    Until it is adapted the layer has mean 0 and variance 1 and changes nothing. The network sees raw inputs: large
    columns saturate it or make every step too long.

    What you see
    What unscaled inputs look like, although there is a layer against it: a loss in the hundreds, a plateau, NaN.
    On JAX, where the model is built by its first step, fit ends with an UnexpectedTracerError.

    How it is proven
    The layer's weights are read from the record: mean 0 and variance 1. The same network is trained from the same seeds
    on inputs as the adapted layer would give them.

    When to ignore it
    When the inputs are scaled already; then the rule is cleared.

    References
    keras/src/layers/preprocessing/normalization.py; keras-team/keras#16296; ageron/handson-ml3#198.
    """

    code = "PIP106"
    severity = "error"
    echo_of = ("non-finite-inputs",)
    sick = Example(
        """
from sklearn.model_selection import train_test_split

x, x_val, y, y_val = train_test_split(x, y, test_size=0.25, random_state=0, stratify=y)
normalise = keras.layers.Normalization()
model = keras.Sequential([
    keras.Input((30,)),
    normalise,
    keras.layers.Dense(16, activation="sigmoid"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.SGD(0.1), loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=20, validation_data=(x_val, y_val), verbose=0)
""",
        data="raw",
    )
    healthy = Example(
        """
from sklearn.model_selection import train_test_split

x, x_val, y, y_val = train_test_split(x, y, test_size=0.25, random_state=0, stratify=y)
normalise = keras.layers.Normalization()
normalise.adapt(x)
model = keras.Sequential([
    keras.Input((30,)),
    normalise,
    keras.layers.Dense(16, activation="sigmoid"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.SGD(0.1), loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=40, validation_data=(x_val, y_val), verbose=0)
""",
        data="raw",
    )

    def check(
        self, setup: Setup, data: Data, normalisers: Normalisers, skill: Skill | None, ending: Ending
    ) -> Cleared | NotApplicable | Suspect:
        if not normalisers.idle and not normalisers.active:
            return NotApplicable("there is no Normalization layer")
        if not normalisers.idle:
            return Cleared("every Normalization layer has a mean and a variance")
        layer = normalisers.idle[0]
        if not ending.steps and BUILT_LATE in ending.error:
            return self._raised(setup, layer, ending)
        size = max(_largest(array) for array in data.x)
        if size <= FAR:
            return Cleared(f"it changes nothing, and the inputs are of the size {size:.2g} already", size, FAR)
        return Suspect(
            message=f"{layer.name} was never adapted: inputs as large as {size:,.4g} pass it as they are",
            location=setup.layer_location(layer, label="mean 0, variance 1: it changes nothing")
            or setup.fit_location(),
            evidence=gathered(
                Evidence(
                    measure="idle-normalization-layers",
                    text=f"{layer.name} has the mean 0 and the variance 1 it was built with",
                    value=len(normalisers.idle),
                    of=len(normalisers.idle) + len(normalisers.active),
                ),
                Evidence(
                    measure="column-size",
                    text=f"the largest column has the size {size:,.4g}",
                    value=size,
                    expected=1.0,
                ),
                loss_at_chance(skill),
            ),
            cures=(AdaptNormalization(layer.name),),
            rivals=(ScaleLearningRate(0.1),),
            leads_to=(
                "unscaled-inputs",
                "dying-relu",
                "saturated-activation",
                "diverging-loss",
                "learning-rate-too-high",
                "learning-rate-too-low",
                "momentum-oscillation",
                "vanishing-gradient",
                "too-few-updates",
                "model-too-small",
                "class-imbalance",
            ),
        )

    def _raised(self, setup: Setup, layer: Layer, ending: Ending) -> Suspect:
        return Suspect(
            message=f"{layer.name} was never adapted, and JAX cannot build it within a training step",
            confidence="proven",
            location=setup.layer_location(layer, label="has no mean and variance") or setup.fit_location(),
            evidence=(Evidence(measure="ending", text=f"fit {ending.words.partition(':')[0]} in {BUILT_LATE}"),),
            conclusion="a layer that was adapted, or given its mean and variance, has nothing left to make there",
            fix=AdaptNormalization(layer.name).edit(setup),
        )


def _largest(array: np.ndarray) -> float:
    """Root mean square of the largest column, or channel."""
    values = array.astype(np.float64).reshape(-1, array.shape[-1] if array.ndim > 1 else 1)
    values = np.where(np.isfinite(values), values, 0.0)
    return float(np.sqrt((values**2).mean(axis=0)).max(initial=0.0))
