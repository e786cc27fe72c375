"""A discriminator that leaves nothing to learn from."""

from __future__ import annotations

import re

import numpy as np

from unstuck.finding import Evidence
from unstuck.measure.setup import Setup
from unstuck.measure.training.logs import Logs
from unstuck.rules.rule import Cleared, Example, NotApplicable, Rule, Suspect

JUDGE = re.compile(r"^(d|disc|discriminator)(_|$)")
MAKER = re.compile(r"^(g|gen|generator)(_|$)")
"""Names under which the two losses of an adversarial pair are printed."""
SURE = 0.01
"""Loss of a discriminator that is right with 99 % certainty."""
LOST = 4.0
"""Loss of a generator whose work passes for real with a probability of 2 %: e^-4."""


class DiscriminatorWins(Rule):
    """The discriminator is always right, and the generator has no gradient left.

    What it finds
    Printed losses of a generator and a discriminator of which the latter ends near 0 and the former is high.

    Why training stops
    A discriminator that is sure of itself is flat: whichever way the generator changes, its work is judged just as
    false. At a clipped loss of 16, -log(1e-7), its gradient is 0.

    What you see
    d_loss: 0.0 and g_loss: 16, or rising without end.

    How it is proven
    It is read off the printed losses and stays likely; a lower rate for the discriminator, or smoothed labels, decide.

    When to ignore it
    In the first epochs, where the discriminator is often ahead.

    References
    Goodfellow et al. 2014, "Generative Adversarial Nets". osh/KerasGAN#14; soumith/ganhacks#36.
    """

    code = "OBJ105"
    severity = "warning"
    sick = Example(
        """
class Pair(keras.Model):
    def __init__(self):
        super().__init__()
        self.maker, self.judge = keras.layers.Dense(30), keras.layers.Dense(1)
        self.maker.build((None, 4))
        self.judge.build((None, 30))
        self.d, self.g = keras.metrics.Mean(name="d_loss"), keras.metrics.Mean(name="g_loss")

    def call(self, inputs):
        return self.judge(inputs)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        made = keras.ops.stop_gradient(self.maker(x[:, :4])) + 5.0
        false = self.judge(made)
        d_loss = keras.ops.mean(keras.ops.softplus(-y_pred)) + keras.ops.mean(keras.ops.softplus(false))
        self.d.update_state(d_loss)
        self.g.update_state(keras.ops.mean(keras.ops.softplus(-false)))
        return d_loss

model = Pair()
model.compile(keras.optimizers.Adam(0.01))
model.fit(x, y, epochs=200, verbose=0)
"""
    )
    healthy = Example(
        """
class Pair(keras.Model):
    def __init__(self):
        super().__init__()
        self.maker, self.judge = keras.layers.Dense(30), keras.layers.Dense(1)
        self.maker.build((None, 4))
        self.judge.build((None, 30))
        self.d, self.g = keras.metrics.Mean(name="d_loss"), keras.metrics.Mean(name="g_loss")

    def call(self, inputs):
        return self.judge(inputs)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        made = keras.ops.stop_gradient(self.maker(x[:, :4]))
        false = self.judge(made)
        d_loss = keras.ops.mean(keras.ops.softplus(-y_pred)) + keras.ops.mean(keras.ops.softplus(false))
        self.d.update_state(d_loss)
        self.g.update_state(keras.ops.mean(keras.ops.softplus(-false)))
        return d_loss

model = Pair()
model.compile(keras.optimizers.Adam(0.001))
model.fit(x, y, epochs=4, verbose=0)
"""
    )

    def check(self, setup: Setup, logs: Logs) -> Cleared | NotApplicable | Suspect:
        judges = {name: values for name, values in logs.series.items() if JUDGE.match(name.lower())}
        makers = {name: values for name, values in logs.series.items() if MAKER.match(name.lower())}
        if not judges or not makers:
            return NotApplicable("no losses of a generator and a discriminator are printed")
        (judge, low), (maker, high) = next(iter(judges.items())), next(iter(makers.items()))
        ends = float(low[-1]), float(high[-1])
        if not np.isfinite(ends).all() or ends[0] > SURE or ends[1] < LOST:
            return Cleared(f"{judge} ended at {ends[0]:.3g} and {maker} at {ends[1]:.3g}", ends[0], SURE)
        return Suspect(
            message=f"the discriminator is always right: {judge} is {ends[0]:.2g} and {maker} {ends[1]:.3g}",
            confidence="likely",
            location=setup.fit_location(),
            evidence=(
                Evidence(
                    measure="discriminator-loss",
                    text=f"{judge} went from {low[0]:.4g} to {ends[0]:.4g}",
                    value=ends[0],
                    expected=SURE,
                ),
                Evidence(
                    measure="generator-loss",
                    text=f"{maker} went from {high[0]:.4g} to {ends[1]:.4g}",
                    value=ends[1],
                    expected=LOST,
                ),
            ),
            conclusion="where the discriminator is sure its slope is flat, and the generator learns through that slope",
        )
