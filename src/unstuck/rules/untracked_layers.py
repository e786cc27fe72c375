"""NET105: a layer of the forward pass that the model does not know."""

from __future__ import annotations

from unstuck.finding import Evidence, Fix
from unstuck.measure.code.hidden_layers import HiddenLayers
from unstuck.measure.code.own_code import OwnCode, last_name
from unstuck.measure.seen import gathered
from unstuck.measure.setup import Setup
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect


class UntrackedLayers(Rule):
    """
    What it finds:
    A layer with weights that the forward pass calls, and that is none of the model's: held by a variable outside, by
    a Lambda's closure, or by an object that is no Keras layer.

    Why training stops:
    Keras finds weights through the attributes of layers. What it does not find gets no gradient and is not saved: the
    layer keeps its random first weights.

    What you see:
    Fewer parameters in summary() than expected, partial learning, and other predictions after save and load.

    How it is proven:
    From the source of the forward pass and the recorded list of the model's layers, which does not contain it.

    When to ignore it:
    When a fixed random projection is meant. Lists, tuples and dictionaries of layers on self are tracked.

    References:
    keras/src/utils/tracking.py; keras/src/layers/core/lambda_layer.py (variables of a Lambda).
    """

    code = "NET105"
    severity = "error"
    sick = Example(
        """
dense = keras.layers.Dense(2, activation="relu")
dense.build((None, 30))
model = keras.Sequential([
    keras.Input((30,)),
    keras.layers.Lambda(lambda t: dense(t), output_shape=(2,)),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, validation_data=(x_val, y_val), epochs=20, verbose=0)
"""
    )
    healthy = Example(
        """
class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.blocks = [keras.layers.Dense(16, activation="relu") for _ in range(2)]
        self.head = keras.layers.Dense(1, activation="sigmoid")
    def call(self, x):
        for block in self.blocks:
            x = block(x)
        return self.head(x)

model = Net()
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, validation_data=(x_val, y_val), epochs=12, verbose=0)
"""
    )

    def check(self, setup: Setup, hidden: HiddenLayers, code: OwnCode) -> Judgement:
        if not code.in_use and not any(layer.kind == "Lambda" for layer in setup.layers):
            return NotApplicable("the forward pass consists of Keras layers alone")
        if not hidden.untracked:
            return Cleared("no layer outside the model was found in the forward pass")
        first = hidden.untracked[0]
        kind = last_name(first.built.func)
        known = sum(layer.params or 0 for layer in setup.layers)
        return Suspect(
            message=f"a {kind} layer of the forward pass is not tracked by the model, so it is never trained",
            confidence="proven",
            location=code.location(first.file, first.built, "its weights stay random"),
            related=(code.location(first.file, first.used, first.why),),
            evidence=gathered(
                Evidence(
                    measure="untracked-layers",
                    value=len(hidden.untracked),
                    text=f"{len(hidden.untracked)} layers are held by {first.why}; the model knows {len(setup.layers)} "
                    f"layers with {known:,} weights, and not these",
                )
            ),
            scope={"layer": kind},
            conclusion="weights that the model does not list are given to no optimiser",
            fix=Fix(
                title="keep the layer on self in __init__, or call it directly in the functional model",
                applicability="sketch",
            ),
            leads_to=("silent-missing-gradient", "model-too-small", "learning-rate-too-low", "too-few-updates",
                      "disconnected-branch"),
        )  # fmt: skip
