"""NET111: load_weights changed nothing."""

from __future__ import annotations

from unstuck.finding import Evidence, Fix
from unstuck.measure.network.loaded import LoadedWeights
from unstuck.measure.seen import gathered
from unstuck.measure.setup import Setup
from unstuck.measure.training.keras_warnings import KerasWarnings
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect

MOST = 0.5
"""Share of the weights that may keep their first values: a new head is smaller than the backbone it stands on."""


class PretrainedWeightsNotLoaded(Rule):
    """
    What it finds:
    load_weights(skip_mismatch=True) before the fit that left most of the weights as they were.

    Why training stops:
    With skip_mismatch Keras leaves out every layer whose shapes do not fit and goes on. Nothing was loaded, so
    training begins from random weights, or a frozen backbone of random weights is trained on.

    What you see:
    A fine-tuning run that behaves as one from scratch, or a frozen backbone that is no better than noise.

    How it is proven:
    Checksums of every variable before and after the call. Variables that hold one value throughout, as new biases do,
    are not counted.

    When to ignore it:
    When only a small part was to be loaded.

    References:
    keras/src/saving/saving_lib.py (skip_mismatch, "could not be loaded"); the Keras guide "Transfer learning and
    fine-tuning".
    """

    code = "NET111"
    severity = "error"
    sick = Example(
        """
import tempfile
from pathlib import Path

def network(width):
    return keras.Sequential([
        keras.Input((30,)),
        keras.layers.Dense(width, activation="relu"),
        keras.layers.Dense(width, activation="relu"),
        keras.layers.Dense(1, activation="sigmoid"),
    ])

path = Path(tempfile.mkdtemp()) / "pretrained.weights.h5"
network(64).save_weights(path)
model = network(32)
model.load_weights(path, skip_mismatch=True)
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, validation_data=(x_val, y_val), epochs=10, verbose=0)
"""
    )
    healthy = Example(
        """
import tempfile
from pathlib import Path

def network(classes):
    return keras.Sequential([
        keras.Input((30,)),
        keras.layers.Dense(32, activation="relu"),
        keras.layers.Dense(32, activation="relu"),
        keras.layers.Dense(classes, activation="sigmoid"),
    ])

path = Path(tempfile.mkdtemp()) / "pretrained.weights.h5"
network(5).save_weights(path)
model = network(1)
model.load_weights(path, skip_mismatch=True)
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, validation_data=(x_val, y_val), epochs=10, verbose=0)
"""
    )

    def check(self, setup: Setup, loaded: LoadedWeights | None, warnings: KerasWarnings) -> Judgement:
        if loaded is None:
            return NotApplicable("no weights were loaded into this model before the fit")
        if not loaded.lenient:
            return Cleared("the weights were loaded strictly: what does not fit would have raised")
        share = loaded.kept / max(loaded.weights, 1)
        if share <= MOST:
            return Cleared(f"{share:.0%} of the weights kept their values", share, MOST)
        every = loaded.kept == loaded.weights
        return Suspect(
            message=f"load_weights changed {'nothing' if every else f'only {1 - share:.0%} of the weights'}",
            confidence="proven" if every else "likely",
            severity="error" if every else "warning",
            location=setup.sources.argument(loaded.site, "skip_mismatch", whole=True)
            or setup.sources.location(loaded.site, "loads nothing"),
            evidence=gathered(
                Evidence(
                    measure="weights-not-loaded",
                    value=share,
                    expected=MOST,
                    of=loaded.weights,
                    text=f"{loaded.kept:,} of {loaded.weights:,} weights have the same checksum before and after",
                ),
                warnings.cite("could not be loaded", "skip_mismatch"),
            ),
            conclusion="training began from weights that no file gave" if every else "",
            impairs=not every,
            fix=Fix(
                title="load without skip_mismatch, and build the layers as the file has them",
                applicability="sketch",
            ),
        )
