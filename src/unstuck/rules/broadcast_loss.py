"""Every prediction compared with every target of the batch."""

from __future__ import annotations

import numpy as np

from unstuck.finding import Evidence, Fix
from unstuck.measure.case import Missing
from unstuck.measure.code.own_code import OwnCode
from unstuck.measure.contract import Contract
from unstuck.measure.data import Data
from unstuck.measure.replay import Replay
from unstuck.measure.seen import SAME_LOSS, gathered
from unstuck.measure.setup import Setup
from unstuck.rules.rule import Cleared, Example, NotApplicable, Rule, Suspect

BATCH = 256
"""Rows a batch when the replay evaluates the recorded weights (record/probe.py)."""
AGREES = 1e-3
"""Relative difference up to which two float32 losses over a few thousand rows are the same number."""


class BroadcastLoss(Rule):
    """Raw loss code subtracts (rows,) from (rows, 1) and averages over all pairs of rows.

    What it finds
    A compute_loss or loss of your own whose value stays the same when the labels of a batch change places.

    Why training stops
    (n,) minus (n, 1) is an (n, n) table: every prediction against every target. Such a loss is lowest when each answer
    is the mean of the targets, whatever the inputs are. Keras aligns the ranks for losses handed to compile, and for
    nothing else.

    What you see
    A loss that stops at the variance of the targets, predictions that shrink to their mean, and no error.

    How it is proven
    The labels of the recorded rows are permuted and the loss is computed again: a loss that compares a row with its own
    label changes. That it equals the mean over all pairs makes it proven.

    When to ignore it
    When distributions are to be matched and not rows, as in a discriminator's or a moment loss.

    References
    keras/src/losses/loss.py (squeeze_or_expand_to_same_rank). keras-team/keras#14627; tensorflow/tensorflow#37770;
    pytorch/pytorch#16045.
    """

    code = "OUT119"
    severity = "error"
    sick = Example(
        """
class Regressor(keras.Model):
    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return keras.ops.mean(keras.ops.square(y - y_pred))

inputs = keras.Input((10,))
hidden = keras.layers.Dense(32, activation="relu")(inputs)
model = Regressor(inputs, keras.layers.Dense(1)(hidden))
model.compile("adam")
model.fit(x, y, epochs=20, validation_data=(x_val, y_val), verbose=0)
""",
        data="regression",
    )
    healthy = Example(
        """
class Regressor(keras.Model):
    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return keras.ops.mean(keras.ops.square(y - keras.ops.squeeze(y_pred, -1)))

inputs = keras.Input((10,))
hidden = keras.layers.Dense(32, activation="relu")(inputs)
model = Regressor(inputs, keras.layers.Dense(1)(hidden))
model.compile("adam")
model.fit(x, y, epochs=20, validation_data=(x_val, y_val), verbose=0)
""",
        data="regression",
    )

    def check(
        self, setup: Setup, contract: Contract, code: OwnCode, data: Data, replay: Replay
    ) -> Cleared | NotApplicable | Suspect:
        own = code.model
        if not setup.loss.custom and not setup.custom_train_step:
            return NotApplicable("the loss is Keras's own, which aligns the ranks")
        if not contract.single:
            return NotApplicable("there are several outputs")
        if setup.custom_train_step and own is not None and own.method("train_step"):
            raise Missing("the loss inside an own train_step", "compute it in compute_loss")
        change, reacts = replay.label_change, replay.loss_change
        if not np.isfinite([change, reacts]).all():
            raise Missing("the loss under other labels (it could not be computed again)")
        if reacts <= SAME_LOSS or np.ptp(data.y.reshape(len(data.y), -1), axis=0).max() == 0:
            return NotApplicable("the loss does not change with the predictions, or the labels are all the same")
        if change > SAME_LOSS:
            return Cleared("the loss changes when labels change places", change, SAME_LOSS)
        pairs = _over_all_pairs(data.y, replay.train_outputs)
        if not any(np.isclose(replay.evaluated_loss, value, rtol=AGREES) for value in pairs):
            return NotApplicable("the loss does not compare answers with labels, row by row or all with all")
        method = own.method("compute_loss") if own is not None else None
        place = code.location(own.file, method, "y and y_pred differ in rank") if own and method else None
        return Suspect(
            message="every prediction is compared with every target of the batch",
            confidence="proven",
            location=place or setup.loss_location("stays the same when labels change places"),
            related=(setup.sources.argument(setup.sites["fit"], "y", 1, label=f"shape {data.y.shape}"),),
            evidence=gathered(
                Evidence(
                    measure="loss-change-under-permuted-labels",
                    text=f"other labels for the same rows change the loss by {change:.2g} of its value",
                    value=change,
                ),
                _beside_variance(data, replay),
            ),
            fix=Fix(
                title="give both the same shape before subtracting: y[:, None], or ops.squeeze(y_pred, -1)",
                applicability="sketch",
            ),
            conclusion="the loss equals the mean over all pairs of rows, which is lowest when every answer is the mean",
            leads_to=("learning-rate-too-low", "too-few-updates", "no-signal", "misaligned-labels", "model-too-small"),
        )


def _over_all_pairs(y: np.ndarray, outputs: np.ndarray) -> tuple[float, ...]:
    """Squared and absolute error of every prediction against every target of its batch, mean over the batches."""
    n = min(len(y), len(outputs))
    squared, absolute, rows = 0.0, 0.0, 0
    for begin in range(0, n, BATCH):
        answers = outputs[begin : min(n, begin + BATCH)].reshape(-1).astype(np.float64)
        error = answers[:, None] - y[begin : min(n, begin + BATCH)].reshape(-1).astype(np.float64)[None, :]
        squared += float((error**2).mean()) * len(answers)
        absolute += float(np.abs(error).mean()) * len(answers)
        rows += len(answers)
    return squared / max(rows, 1), absolute / max(rows, 1)


def _beside_variance(data: Data, replay: Replay) -> Evidence | None:
    if not np.isfinite(replay.evaluated_loss) or not replay.train_outputs.size:
        return None
    spread, answers = float(np.var(data.y)), float(np.std(replay.train_outputs))
    text = (
        f"the loss ended at {replay.evaluated_loss:.4g}; the variance of the targets is {spread:.4g}, the predictions"
        f" have a standard deviation of {answers:.2g}"
    )
    return Evidence(measure="loss-beside-variance", text=text, value=replay.evaluated_loss, expected=spread)
