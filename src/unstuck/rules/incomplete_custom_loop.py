"""API115: a training step of one's own leaves out what fit does."""

from __future__ import annotations

from unstuck.finding import Evidence, Fix
from unstuck.measure.code.own_loop import OwnLoop
from unstuck.measure.network.moves import Moves
from unstuck.measure.seen import gathered
from unstuck.measure.setup import Layer, Setup
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect

MODES = ("Dropout", "SpatialDropout1D", "SpatialDropout2D", "AlphaDropout", "GaussianDropout", "GaussianNoise",
         "BatchNormalization")  # fmt: skip
"""Layers that do something else in training."""


class IncompleteCustomLoop(Rule):
    """
    What it finds:
    A train_step of your own that calls the model without training=True although it has dropout or
    BatchNormalization, or that never adds the penalties in self.losses.

    Why training stops:
    Without training=True the layers work as in inference: dropout is off and the averages of BatchNormalization stay
    at 0 and 1. Penalties that are not added to the loss do nothing.

    What you see:
    Regularisation without effect: a training loss that falls further than it should while validation gets worse.

    How it is proven:
    From the source of train_step. For BatchNormalization the recorded averages show it: they did not move.

    When to ignore it:
    When inference mode is wanted in training. A step that leaves the loss to compute_loss adds the penalties.

    References:
    The Keras guide "Customizing what happens in fit()"; keras/src/layers/normalization/batch_normalization.py.
    """

    code = "API115"
    severity = "warning"
    sick = Example(
        """
class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden = keras.layers.Dense(16, activation="relu")
        self.normalise = keras.layers.BatchNormalization()
        self.head = keras.layers.Dense(1, activation="sigmoid")
    def call(self, x, training=False):
        return self.head(self.normalise(self.hidden(x), training=training))
    def train_step(self, data):
        import torch
        x, y = data[0], data[1]
        self.zero_grad()
        loss = self.compute_loss(y=y[:, None], y_pred=self(x))
        loss.backward()
        with torch.no_grad():
            self.optimizer.apply([v.value.grad for v in self.trainable_weights], self.trainable_weights)
        return {"loss": loss}

model = Net()
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy")
model.fit(x, y, epochs=6, verbose=0)
""",
        backends=("torch",),
    )
    healthy = Example(
        """
class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden = keras.layers.Dense(16, activation="relu")
        self.normalise = keras.layers.BatchNormalization()
        self.head = keras.layers.Dense(1, activation="sigmoid")
    def call(self, x, training=False):
        return self.head(self.normalise(self.hidden(x), training=training))
    def train_step(self, data):
        import torch
        x, y = data[0], data[1]
        self.zero_grad()
        loss = self.compute_loss(y=y[:, None], y_pred=self(x, training=True))
        loss.backward()
        with torch.no_grad():
            self.optimizer.apply([v.value.grad for v in self.trainable_weights], self.trainable_weights)
        return {"loss": loss}

model = Net()
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy")
model.fit(x, y, epochs=6, verbose=0)
""",
        backends=("torch",),
    )

    def check(self, setup: Setup, loop: OwnLoop | None, moves: Moves | None) -> Judgement:
        if loop is None:
            return NotApplicable("the model has no training step of its own")
        modes = [layer for layer in setup.layers if layer.kind in MODES]
        averages = [m for m in moves.variables if m.path.endswith("moving_mean")] if moves else []
        if any(m.change for m in averages):
            modes = []
        penalised = [layer for layer in setup.layers if _penalised(layer)]
        forgets_mode = bool(modes and loop.forward and len(loop.without_training) == len(loop.forward))
        forgets_penalty = bool(penalised and not loop.penalties)
        if not forgets_mode and not forgets_penalty:
            return Cleared("the step trains in training mode and leaves out no penalty")
        still = bool(averages) and not any(m.change for m in averages)
        return Suspect(
            message="the training step calls the model without training=True"
            if forgets_mode
            else "the training step never adds the penalties of the layers",
            confidence="proven" if still and forgets_mode else "likely",
            location=loop.location(loop.without_training[0], "inference mode")
            if forgets_mode
            else loop.location(loop.step, "self.losses is not read"),
            related=tuple(setup.layer_location(layer) for layer in (modes if forgets_mode else penalised)[:3]),
            evidence=gathered(
                Evidence(
                    measure="layers-with-a-training-mode",
                    value=len(modes),
                    text=f"{len(modes)} layers behave differently in training: {modes[0].kind} and the like",
                )
                if forgets_mode
                else None,
                Evidence(
                    measure="moving-averages-that-moved",
                    value=0,
                    of=len(averages),
                    text=f"none of {len(averages)} moving averages of BatchNormalization moved",
                )
                if still and forgets_mode
                else None,
                Evidence(
                    measure="layers-with-a-penalty",
                    value=len(penalised),
                    text=f"{len(penalised)} layers have a regulariser, and the step does not read self.losses",
                )
                if forgets_penalty
                else None,
            ),
            conclusion="in inference mode these layers do nothing that training needs"
            if still and forgets_mode
            else "",
            fix=Fix(
                title="call self(x, training=True)"
                if forgets_mode
                else "add sum(self.losses), or use self.compute_loss",
                applicability="sketch",
            ),
            leads_to=("batchnorm-statistics-cold", "memorising"),
        )


def _penalised(layer: Layer) -> bool:
    return any(value for key, value in layer.config.items() if key.endswith("_regularizer"))
