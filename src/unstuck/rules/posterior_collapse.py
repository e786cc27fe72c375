"""A variational code that says nothing."""

from __future__ import annotations

import re

import numpy as np

from unstuck.finding import Evidence
from unstuck.measure.contract import Contract
from unstuck.measure.data import Data
from unstuck.measure.replay import Replay
from unstuck.measure.setup import Setup
from unstuck.measure.skill import AT_CHANCE, Skill
from unstuck.measure.training.logs import Logs
from unstuck.measure.training.metrics import Metrics
from unstuck.rules.rule import Cleared, Example, NotApplicable, Rule, Suspect

DIVERGENCE = re.compile(r"(^|_)(kl|kld|kl_loss|kl_divergence)(_|$)")
"""Names under which the divergence of a variational autoencoder is printed."""
NOTHING = 1e-2
"""Nats below which a code says nothing: the bound for an active unit in Burda, Grosse and Salakhutdinov 2016,
"Importance Weighted Autoencoders" (catalogue OBJ104 saw 3.8e-07)."""

VANISHED = 0.01
"""Share of its first value from which a loss that the model adds has all but vanished."""


class PosteriorCollapse(Rule):
    """The divergence term of a variational autoencoder has gone to 0: the code is noise.

    What it finds
    A printed loss named like a KL divergence that ends at practically 0; or, where none is printed, a loss that the
    model adds itself and that all but vanished while what it restores says nothing about its inputs.

    Why training stops
    The divergence is the information that the code carries. Where its weight is too large for the reconstruction (a sum
    beside a mean, mostly) it is cheapest to carry none: the code is the prior, and the decoder answers the mean of the
    data.

    What you see
    kl_loss: 3.8e-07, and a reconstruction loss that stays at the variance of the data.

    How it is proven
    It is read off the printed losses and stays likely; training with the weight of the divergence raised slowly from 0
    decides.

    When to ignore it
    While the weight of the divergence is still being raised.

    References
    Bowman et al. 2016, "Generating Sentences from a Continuous Space". AppliedDataSciencePartners/WorldModels#12;
    molecularsets/moses#45.
    """

    code = "OBJ104"
    severity = "warning"
    sick = Example(
        """
class Coder(keras.Model):
    def __init__(self):
        super().__init__()
        small = keras.initializers.RandomNormal(stddev=0.001)
        self.encoder, self.decoder = keras.layers.Dense(4, kernel_initializer=small), keras.layers.Dense(30)
        self.divergence = keras.metrics.Mean(name="kl_loss")

    def call(self, inputs):
        return self.decoder(self.encoder(inputs)[:, :2])

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        code = self.encoder(x)
        mean, log_var = code[:, :2], code[:, 2:]
        each = 0.5 * (keras.ops.square(mean) + keras.ops.exp(log_var) - 1.0 - log_var)
        divergence = keras.ops.mean(keras.ops.sum(each, axis=-1))
        self.divergence.update_state(divergence)
        return keras.ops.mean(keras.ops.square(x - y_pred)) + 200.0 * divergence

model = Coder()
model.compile(keras.optimizers.Adam(0.001))
model.fit(x, x, epochs=20, validation_data=(x_val, x_val), verbose=0)
""",
        backends=("jax",),  # other backends draw other noise, and the term ends just above the bound
    )
    healthy = Example(
        """
class Coder(keras.Model):
    def __init__(self):
        super().__init__()
        self.encoder, self.decoder = keras.layers.Dense(4), keras.layers.Dense(30)
        self.divergence = keras.metrics.Mean(name="kl_loss")

    def call(self, inputs):
        return self.decoder(self.encoder(inputs)[:, :2])

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        code = self.encoder(x)
        mean, log_var = code[:, :2], code[:, 2:]
        each = 0.5 * (keras.ops.square(mean) + keras.ops.exp(log_var) - 1.0 - log_var)
        divergence = keras.ops.mean(keras.ops.sum(each, axis=-1))
        self.divergence.update_state(divergence)
        return keras.ops.mean(keras.ops.square(x - y_pred)) + 0.001 * divergence

model = Coder()
model.compile(keras.optimizers.Adam(0.01))
model.fit(x, x, epochs=20, validation_data=(x_val, x_val), verbose=0)
"""
    )

    def check(
        self,
        setup: Setup,
        contract: Contract,
        metrics: Metrics,
        logs: Logs,
        data: Data | None,
        replay: Replay | None,
        skill: Skill | None,
    ) -> Cleared | NotApplicable | Suspect:
        if not contract.own_loss and not setup.custom_train_step:
            return NotApplicable("no layer or model of your own adds a loss")
        compiled = {metric.name for metric in metrics.entries}
        found = {n: v for n, v in logs.series.items() if DIVERGENCE.search(n.lower()) and n not in compiled}
        found = {name: values for name, values in found.items() if np.isfinite(values).all()}
        if not found:
            plain = not any(layer.config.get("kernel_regularizer") for layer in setup.layers)
            if data is not None and replay is not None and skill is not None and data.restores_inputs and plain:
                return _unprinted(setup, replay, skill)
            return NotApplicable("no divergence is printed")
        name, values = min(found.items(), key=_end)
        last = float(values[-1])
        if abs(last) > NOTHING:
            return Cleared(f"{name} ended at {last:.3g}", last, NOTHING)
        return Suspect(
            message=f"{name} fell to {last:.2g}: the code says nothing about the input",
            confidence="likely",
            location=setup.fit_location(),
            evidence=(
                Evidence(
                    measure="printed-divergence",
                    text=f"{name} went from {values[0]:.4g} to {last:.4g} in {len(values)} epochs",
                    value=last,
                ),
            ),
            conclusion="a divergence of 0 means that the code is drawn from the prior whatever the input is",
            leads_to=("model-too-small", "learning-rate-too-low"),
        )


def _unprinted(setup: Setup, replay: Replay, skill: Skill) -> Cleared | NotApplicable | Suspect:
    first, last = replay.first.penalty, replay.last.penalty
    if not 0 < last < np.inf or not first > 0:
        return NotApplicable("the model adds no loss of its own")
    if last > VANISHED * first or skill.best > AT_CHANCE:
        return Cleared(f"the loss that the model adds went from {first:.3g} to {last:.3g}", last, VANISHED * first)
    return Suspect(
        message=f"the loss that the model adds fell to {last:.2g}, and what it restores says nothing about its inputs",
        confidence="likely",
        location=setup.fit_location(),
        evidence=(
            Evidence(
                measure="added-loss",
                text=f"the loss that the model adds went from {first:.4g} to {last:.4g}",
                value=last,
                expected=first,
            ),
            Evidence(
                measure="skill-of-what-is-restored",
                text=f"the inputs are restored with a skill of {skill.best:.2f}: 0 is their mean for every row",
                value=skill.best,
            ),
        ),
        conclusion="a code that costs nothing carries nothing, and the decoder answers the mean of the data",
        leads_to=("model-too-small", "learning-rate-too-low"),
    )


def _end(entry: tuple[str, np.ndarray]) -> float:
    return abs(float(entry[1][-1]))
