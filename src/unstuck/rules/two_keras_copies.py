"""API114: parts of two libraries in one model."""

from __future__ import annotations

from unstuck.finding import Evidence, Fix
from unstuck.measure.code.own_code import OwnCode
from unstuck.measure.network.foreign_variables import ForeignVariables
from unstuck.measure.seen import gathered
from unstuck.measure.setup import Setup
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect


class TwoKerasCopies(Rule):
    """
    What it finds:
    A tf.Variable as the weight of a layer in Keras 3, or imports of both keras and tf_keras.

    Why training stops:
    Keras 3 knows its own variables only. A tf.Variable is not among the layer's weights, so it is given to no
    optimiser and stays as it was made. Layers of another copy of Keras are no layers to this one.

    What you see:
    Weights missing in summary(), partial learning, or errors such as "Only instances of keras.Layer can be added".

    How it is proven:
    From the source of the layers in the recorded model; the model's list of weights does not contain the variable.

    When to ignore it:
    When a train_step of your own trains the variable, or it is meant as a constant: say trainable=False.

    References:
    The Keras 3 migration guide (tf.Variable, add_weight); keras/src/utils/tracking.py.
    """

    code = "API114"
    severity = "error"
    sick = Example(
        """
import tensorflow as tf

class Scale(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.scale = tf.Variable(0.001, name="scale")
    def call(self, x):
        return x * self.scale

model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    Scale(),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.SGD(0.01), loss="binary_crossentropy")
model.fit(x, y, validation_data=(x_val, y_val), epochs=12, verbose=0)
""",
        backends=("tensorflow",),
    )
    healthy = Example(
        """
class Scale(keras.layers.Layer):
    def build(self, shape):
        self.scale = self.add_weight(shape=(), initializer="ones")
    def call(self, x):
        return x * self.scale

model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    Scale(),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy")
model.fit(x, y, validation_data=(x_val, y_val), epochs=12, verbose=0)
"""
    )

    def check(self, setup: Setup, foreign: ForeignVariables, code: OwnCode) -> Judgement:
        if not code.in_use and not foreign.copies:
            return NotApplicable("the model consists of Keras layers of one copy alone")
        if not foreign.made:
            more = f"; {foreign.copies[0]} is imported too, but is not in the model" if foreign.copies else ""
            return Cleared(f"no layer holds a tf.Variable{more}")
        if setup.custom_train_step:
            return NotApplicable("the training step is the model's own, and may train the variable")
        own, call = foreign.made[0]
        return Suspect(
            message=f"{own.name} holds a tf.Variable, which Keras 3 does not train",
            confidence="proven",
            location=code.location(own.file, call, "not among the model's weights"),
            evidence=gathered(
                Evidence(
                    measure="foreign-variables",
                    value=len(foreign.made),
                    text=f"{len(foreign.made)} tf.Variable objects are attributes of layers in the model; Keras 3 "
                    "tracks keras.Variable and add_weight",
                )
            ),
            scope={"class": own.name},
            conclusion="a variable that the model does not list is given to no optimiser",
            fix=Fix(title="make it with self.add_weight(...) in build", applicability="sketch"),
            leads_to=("too-few-updates", "learning-rate-too-low"),
        )
