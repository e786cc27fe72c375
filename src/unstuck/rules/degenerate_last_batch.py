"""A last batch of one row under batch normalisation."""

from __future__ import annotations

from unstuck.experiments.interventions.remainder import DropRemainder
from unstuck.finding import Evidence
from unstuck.measure.seen import gathered
from unstuck.measure.setup import Setup
from unstuck.measure.skill import Skill
from unstuck.measure.training.passes import Passes
from unstuck.rules.rule import Cleared, Example, NotApplicable, Rule, Suspect

FLAT_RANK = 2
"""Rank of an output, batch axis included, up to which one row gives one value a channel; images give many."""


class DegenerateLastBatch(Rule):
    """The last batch of every epoch has one row, and a BatchNormalization layer takes its statistics.

    What it finds
    A number of training rows that leaves a batch of one, in a network with batch normalisation of flat features.

    Why training stops
    The variance of one row is 0. The step is a wasted one, and the moving statistics, which inference uses, take in one
    row as if it were a batch, last of all before validation; with a small momentum little else is left.

    What you see
    A training loss that falls and a validation loss that is huge or jumps from epoch to epoch; it goes away with one
    row more or less.

    How it is proven
    By the remainder of rows and batch size. The same network is trained from the same seeds without the remainder.

    When to ignore it
    With Keras's default momentum of 0.99 one step in an epoch hardly counts; then trials clear the rule.

    References
    keras/src/layers/normalization/batch_normalization.py; Ioffe & Szegedy 2015, Batch Normalization, 3.1;
    keras-team/keras#2134.
    """

    code = "PIP111"
    severity = "error"
    echo_of = ("batchnorm-tiny-batch",)
    sick = Example(
        """
x, y = x[:321], y[:321]
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.BatchNormalization(momentum=0.1),
    keras.layers.Dense(1),
])
model.compile(keras.optimizers.Adam(0.01), loss="mse")
model.fit(x, y, epochs=10, batch_size=32, validation_data=(x_val, y_val), verbose=0)
""",
        data="regression",
        # TensorFlow and PyTorch reach the references all the same (held-out skill 0.35 and 0.27 of 0.36).
        backends=("jax",),
    )
    healthy = Example(
        """
x, y = x[:320], y[:320]
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.BatchNormalization(),
    keras.layers.Dense(1),
])
model.compile(keras.optimizers.Adam(0.01), loss="mse")
model.fit(x, y, epochs=25, batch_size=32, validation_data=(x_val, y_val), verbose=0)
""",
        data="regression",
    )

    def check(self, setup: Setup, passes: Passes, skill: Skill | None) -> Cleared | NotApplicable | Suspect:
        if passes.stream:
            return NotApplicable("a stream makes its own batches")
        layers = [
            layer
            for layer in setup.layers
            if layer.kind == "BatchNormalization"
            and layer.builtin
            and layer.trainable
            and len(layer.output_shape or (None, None)) <= FLAT_RANK
        ]
        if not layers:
            return NotApplicable("no batch normalisation of flat features")
        if setup.rows <= setup.batch_size:
            return NotApplicable("there is one batch an epoch")
        rest = setup.rows % setup.batch_size
        if rest != 1:
            return Cleared(f"the last batch has {rest or setup.batch_size} rows", rest or setup.batch_size, 1)
        momentum = float(layers[0].config.get("momentum", 0.99))
        return Suspect(
            message="the last batch has a single row, and batch normalisation takes its statistics",
            location=setup.fit_location(f"{setup.rows} rows in batches of {setup.batch_size}: 1 is left"),
            related=(setup.layer_location(layers[0], label="the variance of one row is 0"),),
            evidence=gathered(
                Evidence(
                    measure="rows-in-last-batch",
                    text=f"{setup.rows} rows in batches of {setup.batch_size} leave a batch of 1",
                    value=1,
                    of=setup.batch_size,
                ),
                Evidence(
                    measure="weight-of-the-last-step",
                    text=f"with momentum {momentum:g} that row is {1 - momentum:.0%} of the statistics for inference",
                    value=1 - momentum,
                ),
                Evidence(
                    measure="train-loss-in-inference",
                    text=f"the reported training loss is {skill.reported_loss:.4g}; in inference it is"
                    f" {skill.evaluated_loss:.4g} on the same rows",
                    value=skill.evaluated_loss,
                    expected=skill.reported_loss,
                )
                if skill is not None
                else None,
            ),
            cures=(DropRemainder(),),
            leads_to=("memorising", "batchnorm-tiny-batch"),
        )
