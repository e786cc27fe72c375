"""CAP203: batch normalisation over one row or a few."""

from __future__ import annotations

import numpy as np

from unstuck.experiments.interventions.batch_size import SetBatchSize
from unstuck.experiments.interventions.normalisation import NormaliseRows
from unstuck.finding import Evidence
from unstuck.measure.seen import gathered
from unstuck.measure.setup import Layer, Setup
from unstuck.measure.skill import Skill
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect

FEW = 4
"""Rows a batch. The error of a ResNet is flat down to 16 rows and doubles at 2 (Wu and He 2018, figure 1)."""
AT_CHANCE = 0.2
USUAL_BATCH = 32


class BatchnormTinyBatch(Rule):
    """
    What it finds:
    Batch normalisation of plain features in batches of at most four rows.

    Why training stops:
    The layer subtracts the mean of the batch. With one row the mean *is* the row, so zero is left, and the layer puts
    out its bias whatever comes in: no row gets through, and no gradient gets back. With two rows each feature is +1 or
    -1. At inference the running statistics are used instead, so the network is then another one.

    What you see:
    A training loss at the constant answer's value, and a validation loss far above it.

    How it is proven:
    For one row by arithmetic. Else larger batches, and layer normalisation, are tried from the same seeds.

    When to ignore it:
    In convolutions, where each pixel counts as a row; in frozen layers.

    References:
    Ioffe and Szegedy 2015, "Batch Normalization"; Wu and He 2018, "Group Normalization"; keras/src/layers/
    normalization/batch_normalization.py; tensorflow/tensorflow issue 36446; keras-team/keras issue 7265.
    """

    code = "CAP203"
    severity = "error"
    sick = Example(
        """
model = keras.Sequential([
    keras.Input((13,)),
    keras.layers.Dense(16),
    keras.layers.BatchNormalization(),
    keras.layers.Activation("relu"),
    keras.layers.Dense(3, activation="softmax"),
])
model.compile("adam", loss="sparse_categorical_crossentropy")
model.fit(x, y, validation_data=(x_val, y_val), batch_size=1, epochs=3, verbose=0)
""",
        data="three-classes",
    )
    healthy = Example(
        """
model = keras.Sequential([
    keras.Input((13,)),
    keras.layers.Dense(16),
    keras.layers.BatchNormalization(),
    keras.layers.Activation("relu"),
    keras.layers.Dense(3, activation="softmax"),
])
model.compile(keras.optimizers.Adam(0.01), loss="sparse_categorical_crossentropy")
model.fit(x, y, validation_data=(x_val, y_val), batch_size=16, epochs=20, verbose=0)
""",
        data="three-classes",
    )

    def check(self, setup: Setup, skill: Skill | None) -> Judgement:
        normalising = [layer for layer in setup.layers if layer.kind == "BatchNormalization" and layer.trainable]
        if not normalising:
            return NotApplicable("no batch normalisation that is trained")
        flat = [layer for layer in normalising if layer.output_shape is not None and len(layer.output_shape) == 2]
        if not flat:
            return Cleared("batch normalisation averages over pixels or steps too", setup.batch_size, FEW)
        size = min(setup.batch_size, setup.rows)
        if size > FEW:
            return Cleared(f"batches have {size} rows", size, FEW)
        layer = flat[0]
        at_chance = skill is not None and skill.train < AT_CHANCE
        proven = size == 1 and setup.model_kind == "sequential" and at_chance
        return Suspect(
            message=f"'{layer.name}' normalises over batches of {size} row{'s' if size > 1 else ''}",
            confidence="proven" if proven else "likely",
            location=setup.sources.argument(setup.sites["fit"], "batch_size", 2, label=f"{size}", whole=True)
            or setup.fit_location(f"batches of {size}"),
            related=tuple(setup.layer_location(one, label="normalises over the batch") for one in flat),
            evidence=gathered(_rows(layer, size), _gap(skill)),
            cures=(SetBatchSize(USUAL_BATCH), NormaliseRows()),
            conclusion="one row less its own mean is 0, so nothing of a row passes the layer in training"
            if proven
            else "",
            leads_to=("dying-relu", "learning-rate-too-low", "vanishing-gradient", "batchnorm-statistics-cold"),
        )


def _rows(layer: Layer, size: int) -> Evidence:
    text = f"'{layer.name}' takes mean and variance of {size} row{'s' if size > 1 else ''}"
    return Evidence(measure="rows-a-batch", value=size, expected=USUAL_BATCH, text=text)


def _gap(skill: Skill | None) -> Evidence | None:
    if skill is None or not np.isfinite([skill.reported_loss, skill.evaluated_loss]).all():
        return None
    return Evidence(
        measure="evaluated-loss",
        value=skill.evaluated_loss,
        expected=skill.reported_loss,
        text=f"in training the loss is {skill.reported_loss:.4g}; evaluated on the same rows it is "
        f"{skill.evaluated_loss:.4g}",
    )
