"""API105: every time step is masked."""

from __future__ import annotations

import numpy as np

from unstuck.experiments.interventions.masking import Unmask
from unstuck.finding import Evidence
from unstuck.measure.data import Data
from unstuck.measure.replay import Replay
from unstuck.measure.seen import gathered, same_answer, zero_loss
from unstuck.measure.setup import Layer, Setup
from unstuck.measure.training.curve import Curve
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect

MOST = 0.5
"""Share of fully masked rows from which the mask is suspected. Corpora have some empty rows; few have every other."""


class EverythingMasked(Rule):
    """
    What it finds:
    A Masking layer, or an Embedding with mask_zero, that masks every time step of every row, or of most rows.

    Why training stops:
    A recurrent layer skips masked steps and returns its first state, the same for every row. In a sequence output the
    mask also multiplies the loss, which is then exactly 0.

    What you see:
    loss: 0.0000e+00 with a sequence output; otherwise one answer for all rows and a loss at the constant predictor.

    How it is proven:
    By computing the mask of the recorded rows as the layer does. The same network without the mask is trained from the
    same seeds.

    When to ignore it:
    When rows without content are expected: with fewer than half of them nothing is said.

    References:
    keras/src/layers/core/masking.py and embedding.py (compute_mask); keras-team/keras issue 7125 and pull request
    11643; Stack Overflow question 64413907.
    """

    code = "API105"
    severity = "error"
    sick = Example(
        """
tokens, tokens_val = (x > 0).astype("int32"), (x_val > 0).astype("int32")
tokens, tokens_val = np.minimum(tokens, 0), np.minimum(tokens_val, 0)
model = keras.Sequential([
    keras.layers.Embedding(2, 8, mask_zero=True),
    keras.layers.GRU(8),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile("adam", loss="binary_crossentropy")
model.fit(tokens, y, validation_data=(tokens_val, y_val), epochs=2, verbose=0)
"""
    )
    healthy = Example(
        """
tokens, tokens_val = (x > 0).astype("int32") + 1, (x_val > 0).astype("int32") + 1
tokens[::3, 20:], tokens_val[::3, 20:] = 0, 0
model = keras.Sequential([
    keras.layers.Embedding(3, 8, mask_zero=True),
    keras.layers.GRU(8),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy")
model.fit(tokens, y, validation_data=(tokens_val, y_val), epochs=8, verbose=0)
"""
    )

    def check(self, setup: Setup, data: Data, curve: Curve | None, replay: Replay | None) -> Judgement:
        masking = _first_mask(setup)
        if masking is None or len(data.x) != 1:
            return NotApplicable("no layer masks the inputs directly")
        rows = _masked_rows(masking, data.x[0])
        if rows is None:
            return NotApplicable("the inputs have no time steps that the layer could mask")
        share = float(rows.mean())
        if share < MOST:
            return Cleared(f"{share:.0%} of the rows are masked altogether", share, MOST)
        every = bool(rows.all())
        value = masking.config.get("mask_value", 0)
        return Suspect(
            message=f"every time step of {'every row' if every else f'{share:.0%} of the rows'} is masked",
            confidence="proven" if every else "likely",
            location=setup.layer_location(masking, "mask_value" if masking.kind == "Masking" else "mask_zero"),
            evidence=gathered(
                Evidence(
                    measure="fully-masked-rows",
                    value=share,
                    expected=MOST,
                    of=len(rows),
                    text=f"{int(rows.sum())} of {len(rows)} rows consist of the masked value {value:g} alone",
                ),
                zero_loss(curve),
                same_answer(replay),
            ),
            scope={"layer": masking.name},
            cures=(Unmask(),),
            conclusion="no recorded row has a time step that is seen" if every else "",
            leads_to=("silent-missing-gradient", "no-signal", "vanishing-gradient", "blank-inputs", "constant-target",
                      "learning-rate-too-low", "saturated-activation", "too-few-updates"),
        )  # fmt: skip


def _first_mask(setup: Setup) -> Layer | None:
    """The layer that masks the inputs: nothing but the input stands before it, so its mask is known from the data."""
    first = next((layer for layer in setup.layers if layer.kind != "InputLayer"), None)
    if first is None or not (first.kind == "Masking" or (first.kind == "Embedding" and first.config.get("mask_zero"))):
        return None
    return first


def _masked_rows(layer: Layer, x: np.ndarray) -> np.ndarray | None:
    """Which rows the layer masks altogether, (n,)."""
    if layer.kind == "Embedding":
        return np.asarray((x.reshape(len(x), -1) == 0).all(axis=1))
    if x.ndim < 3:
        return None
    return np.asarray((x == layer.config.get("mask_value", 0)).reshape(len(x), -1).all(axis=1))
