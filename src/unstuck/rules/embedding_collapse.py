"""All inputs on one point of the embedding."""

from __future__ import annotations

import re

import numpy as np

from unstuck.finding import Evidence
from unstuck.measure.contract import UNPAIRED, Contract, paired
from unstuck.measure.replay import Replay
from unstuck.measure.seen import gathered
from unstuck.measure.setup import Setup
from unstuck.rules.rule import Cleared, Example, NotApplicable, Rule, Suspect

METRIC_LEARNING = re.compile(r"triplet|contrastive|siamese|npair|n_pair|nt_xent|lifted")
"""Names of losses that compare distances between embeddings."""
ONE_POINT = 1e-2
"""Spread of the embeddings, relative to their length or to 1, below which no margin of 0.2 to 1 tells any apart."""


class EmbeddingCollapse(Rule):
    """Every input gets the same embedding.

    What it finds
    A triplet or contrastive loss of your own, and embeddings that do not differ between rows.

    Why training stops
    Where all embeddings are equal all distances are 0, the loss is exactly the margin, and the gradients of a positive
    and a negative pair cancel. A large rate, the hardest negatives, or nothing that pushes apart drive there.

    What you see
    A loss equal to the margin (.2, .5, 1.0), or 0 where none is given, or ln 2 = .6931 with a soft margin, for ever.

    How it is proven
    The recorded rows are run through the final weights and the spread of the embeddings is measured. That it comes from
    the objective and not from elsewhere stays likely.

    When to ignore it
    Never: such an embedding tells nothing apart.

    References
    Schroff et al. 2015, "FaceNet"; Hermans et al. 2017, "In Defense of the Triplet Loss". omoindrot/
    tensorflow-triplet-loss#18; VisualComputingInstitute/triplet-reid#30.
    """

    code = "OBJ101"
    severity = "error"
    echo_of = (
        "everything-frozen",
        "zero-initialised-kernel",
        "non-finite-inputs",
        "dying-relu",
        "dead-relu-output",
        "learning-rate-too-high",
        "saturated-activation",
        "weight-penalty-too-strong",
    )
    sick = Example(
        """
def contrastive_loss(labels, points):
    apart = keras.ops.sum(keras.ops.square(points[:, None] - points[None]), axis=-1)
    same = keras.ops.cast(keras.ops.equal(labels, keras.ops.transpose(labels)), "float32")
    return keras.ops.sum(same * apart, axis=1)  # nothing pushes the others away

model = keras.Sequential([keras.layers.Dense(4)])
model.compile(keras.optimizers.Adam(0.01), loss=contrastive_loss)
model.fit(x, y.reshape(-1, 1), epochs=100, validation_data=(x_val, y_val.reshape(-1, 1)), verbose=0)
""",
        data="three-classes",
    )
    healthy = Example(
        """
def contrastive_loss(labels, points):
    apart = keras.ops.sum(keras.ops.square(points[:, None] - points[None]), axis=-1)
    same = keras.ops.cast(keras.ops.equal(labels, keras.ops.transpose(labels)), "float32")
    return keras.ops.sum(same * apart + (1 - same) * keras.ops.relu(4.0 - apart), axis=1)

model = keras.Sequential([keras.layers.Dense(4)])
model.compile(keras.optimizers.Adam(0.01), loss=contrastive_loss)
model.fit(x, y.reshape(-1, 1), epochs=40, validation_data=(x_val, y_val.reshape(-1, 1)), verbose=0)
""",
        data="three-classes",
    )

    def check(self, setup: Setup, contract: Contract, replay: Replay) -> Cleared | NotApplicable | Suspect:
        if not setup.loss.custom or not METRIC_LEARNING.search(setup.loss.name.lower()):
            return NotApplicable("the loss compares no embeddings")
        if not paired(setup, contract):
            return NotApplicable(UNPAIRED)
        points = replay.train_outputs.reshape(-1, replay.train_outputs.shape[-1]).astype(np.float64)
        if points.shape[-1] < 2 or not np.isfinite(points).all():
            return NotApplicable("the output is no embedding")
        spread = float(np.sqrt(points.var(axis=0).sum()))
        length = float(np.sqrt((points**2).sum(axis=1).mean()))
        share = spread / max(length, 1.0)
        if share > ONE_POINT:
            return Cleared(f"the embeddings differ by {share:.2g} of their length", share, ONE_POINT)
        return Suspect(
            message="every input gets the same embedding",
            confidence="likely",
            location=setup.layer_location(setup.head.layer, label="one point for all rows"),
            related=(setup.loss_location("all distances are 0"),),
            evidence=gathered(
                Evidence(
                    measure="embedding-spread",
                    text=f"{len(points)} embeddings differ by {spread:.2g}, with a length of {length:.3g}",
                    value=share,
                    expected=1.0,
                ),
                Evidence(
                    measure="final-loss",
                    text=f"the loss stands at {replay.evaluated_loss:.4g}, which is that of distances of 0",
                    value=replay.evaluated_loss,
                )
                if np.isfinite(replay.evaluated_loss)
                else None,
            ),
            scope={"loss": setup.loss.name},
            conclusion="where all distances are 0 the pulls of positive and negative pairs cancel",
            leads_to=(
                "loss-ignores-predictions",
                "learning-rate-too-low",
                "vanishing-gradient",
                "too-few-updates",
                "no-signal",
            ),
            impairs=False,
        )
