"""NET106: a layer is made anew in every call."""

from __future__ import annotations

from unstuck.finding import Evidence, Fix
from unstuck.measure.code.hidden_layers import HiddenLayers
from unstuck.measure.code.own_code import OwnCode, last_name
from unstuck.measure.contract import Contract
from unstuck.measure.seen import gathered
from unstuck.measure.setup import Setup
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect


class LayerBuiltInCall(Rule):
    """
    What it finds:
    A layer with weights that is made inside `call`.

    Why training stops:
    Each call makes a new layer with new random weights, uses it once and forgets it. Nothing about it can be learnt,
    and what comes after it is given another random projection every time.

    What you see:
    TensorFlow raises, because variables are made in a traced function. JAX and PyTorch are silent: the loss stays at
    the constant predictor, and predict() gives another answer each time.

    How it is proven:
    From the source of `call` in the class of the recorded model or of one of its layers.

    When to ignore it:
    Never. A layer that is kept on self the first time is made once and is not reported.

    References:
    The Keras guide "Making new layers and models via subclassing"; keras-team/keras issue 8580.
    """

    code = "NET106"
    severity = "error"
    sick = Example(
        """
class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.head = keras.layers.Dense(1, activation="sigmoid")
    def call(self, x):
        return self.head(keras.layers.Dense(16, activation="relu")(x))

model = Net()
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, validation_data=(x_val, y_val), epochs=6, verbose=0)
""",
        backends=("jax", "torch"),
    )
    healthy = Example(
        """
class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden = keras.layers.Dense(16, activation="relu")
        self.head = keras.layers.Dense(1, activation="sigmoid")
    def call(self, x):
        return self.head(self.hidden(x))

model = Net()
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, validation_data=(x_val, y_val), epochs=12, verbose=0)
"""
    )

    def check(self, setup: Setup | None, hidden: HiddenLayers, code: OwnCode, contract: Contract | None) -> Judgement:
        if not code.in_use:
            return NotApplicable("the model and its layers are Keras's own")
        if not hidden.built_in_call:
            return Cleared("no layer with weights is made in call")
        first = hidden.built_in_call[0]
        kind = last_name(first.built.func)
        return Suspect(
            message=f"call() makes a new {kind} layer each time, with new random weights",
            confidence="proven",
            location=code.location(first.file, first.built, "made in every call"),
            evidence=gathered(
                Evidence(
                    measure="layers-made-in-call",
                    value=len(hidden.built_in_call),
                    text=f"{len(hidden.built_in_call)} layers with weights are made in call(); the model knows "
                    f"{len(setup.layers) if setup else 0}",
                ),
                Evidence(measure="fit-raised", text=f"fit raised {contract.error.splitlines()[0][:100]}")
                if contract is not None and contract.error
                else None,
            ),
            scope={"layer": kind},
            conclusion="weights that are new in every call cannot be learnt",
            fix=Fix(title=f"make the {kind} layer once, in __init__, and keep it on self", applicability="sketch"),
            leads_to=("untracked-layers", "silent-missing-gradient", "model-too-small", "learning-rate-too-low",
                      "too-few-updates", "memorising", "dying-relu"),
        )  # fmt: skip
