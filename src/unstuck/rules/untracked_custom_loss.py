"""API107: a loss of the training step that evaluation knows nothing of."""

from __future__ import annotations

from unstuck.finding import Evidence, Fix
from unstuck.measure.code.own_loop import OwnLoop
from unstuck.measure.contract import Contract
from unstuck.measure.network.moves import Moves
from unstuck.measure.seen import fit_raised, gathered
from unstuck.measure.setup import Setup
from unstuck.measure.training.curve import Curve
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect

NO_LOSS = "No loss to compute"


class UntrackedCustomLoss(Rule):
    """
    What it finds:
    A model with its own train_step and no loss in compile() whose reported loss is 0 while its weights move, or whose
    validation has no loss.

    Why training stops:
    It does not; it is not measured. When the step returns {"loss": ...} Keras reports its own tracker of that name,
    which nobody updated. evaluate() and validation use the compiled loss, and there is none: JAX reports 0, TensorFlow
    and PyTorch raise.

    What you see:
    loss: 0.0000e+00 or val_loss: 0.0000e+00 although the network learns, or "No loss to compute" in validation.

    How it is proven:
    From the methods of the class and the compile settings, the reported losses, all exactly 0, and the weights, which
    moved.

    When to ignore it:
    When nobody looks at these numbers. EarlyStopping and checkpoints do.

    References:
    The Keras guide "Customizing what happens in fit()" (own evaluation step); keras/src/trainers/trainer.py
    (_compute_loss).
    """

    code = "API107"
    severity = "warning"
    sick = Example(
        """
class Net(keras.Sequential):
    def train_step(self, state, data):
        import jax
        trainable, fixed, optimizer, metrics = state
        x, y = data[0], data[1]
        def loss_of(trainable, fixed):
            answers, fixed = self.stateless_call(trainable, fixed, x, training=True)
            return keras.ops.mean(keras.ops.square(answers[:, 0] - y)), fixed
        (loss, fixed), found = jax.value_and_grad(loss_of, has_aux=True)(trainable, fixed)
        trainable, optimizer = self.optimizer.stateless_apply(optimizer, found, trainable)
        return {"loss": loss}, (trainable, fixed, optimizer, metrics)

model = Net([keras.Input((30,)), keras.layers.Dense(16, activation="relu"), keras.layers.Dense(1)])
model.compile(optimizer=keras.optimizers.Adam(0.01))
model.fit(x, y, validation_data=(x_val, y_val), epochs=6, verbose=0)
""",
        backends=("jax",),
    )
    healthy = Example(
        """
class Net(keras.Sequential):
    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return keras.ops.mean(keras.ops.square(y_pred[:, 0] - y))

model = Net([keras.Input((30,)), keras.layers.Dense(16, activation="relu"), keras.layers.Dense(1)])
model.compile(optimizer=keras.optimizers.Adam(0.01))
model.fit(x, y, validation_data=(x_val, y_val), epochs=6, verbose=0)
"""
    )

    def check(
        self, setup: Setup, loop: OwnLoop | None, curve: Curve | None, moves: Moves | None, contract: Contract
    ) -> Judgement:
        if loop is None:
            return NotApplicable("the model has no training step of its own")
        if setup.loss.name or loop.defines("compute_loss"):
            return Cleared("evaluation has a loss")
        moved = moves is not None and any(move.change for move in moves.trained)
        shown = {"loss": curve.epochs, "val_loss": curve.held} if curve is not None and moved else {}
        zero = {name: len(losses) for name, losses in shown.items() if len(losses) and not losses.any()}
        refused = NO_LOSS in contract.error
        if not zero and not refused:
            return Cleared("no reported loss is 0 while the weights move")
        return Suspect(
            message=f"what is reported as {' and '.join(zero) or 'val_loss'} is not the loss of train_step",
            confidence="proven",
            location=loop.location(loop.step, "trains on a loss of its own"),
            related=(setup.compile_location(label="no loss"),),
            evidence=gathered(
                Evidence(
                    measure="reported-losses-of-zero",
                    value=sum(zero.values()),
                    text=f"{' and '.join(zero)}: exactly 0 in all {max(zero.values())} epochs; the weights moved",
                )
                if zero
                else None,
                fit_raised(contract) if refused else None,
            ),
            conclusion="Keras reports its own tracker and evaluates with the compiled loss; neither is used",
            impairs=False,
            fix=Fix(
                title="override compute_loss instead of train_step, or update a keras.metrics.Mean and write test_step",
                applicability="sketch",
            ),
            leads_to=("missing-loss",),
        )
