"""API112: the state of a recurrent layer is carried to unrelated rows."""

from __future__ import annotations

from unstuck.experiments.interventions.stateful import ForgetState
from unstuck.finding import Evidence
from unstuck.measure.code.own_code import OwnCode, calls_in
from unstuck.measure.seen import gathered
from unstuck.measure.setup import Setup
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect

RESETS = ("reset_state", "reset_states")


class StatefulWithoutReset(Rule):
    """
    What it finds:
    A recurrent layer with stateful=True in a fit that shuffles its rows, or runs several epochs without a reset.

    Why training stops:
    A stateful layer begins each batch with the state in which the last one ended: row i goes on where row i of the
    batch before stopped. In shuffled rows that is the state of an unrelated sequence, noise in every first step.

    What you see:
    Unstable training and validation that depends on what was seen before.

    How it is proven:
    From the flags of the layers and of fit. The same network with stateful=False is trained from the same seeds.

    When to ignore it:
    When batches continue each other: fit with shuffle=False, and reset the state where a series begins.

    References:
    keras/src/layers/rnn/rnn.py (stateful, reset_state); the Keras guide "Working with RNNs" (cross-batch
    statefulness).
    """

    code = "API112"
    severity = "warning"
    sick = Example(
        """
rows = 32 * (len(x) // 32)
series, series_val = x[:rows].reshape(-1, 2, 15), x_val[:128].reshape(-1, 2, 15)
model = keras.Sequential([
    keras.Input(batch_shape=(32, 2, 15)),
    keras.layers.LSTM(8, stateful=True),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy")
model.fit(series, y[:rows], validation_data=(series_val, y_val[:128]), batch_size=32, epochs=6, verbose=0)
""",
        backends=(),  # the state does no harm that a trial sees on data as small as these
    )
    healthy = Example(
        """
series, series_val = x.reshape(-1, 10, 3), x_val.reshape(-1, 10, 3)
model = keras.Sequential([
    keras.Input((10, 3)),
    keras.layers.LSTM(8),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy")
model.fit(series, y, validation_data=(series_val, y_val), batch_size=32, epochs=6, verbose=0)
"""
    )

    def check(self, setup: Setup, code: OwnCode) -> Judgement:
        keeping = [layer for layer in setup.layers if layer.config.get("stateful")]
        if not keeping:
            return NotApplicable("no layer keeps its state between batches")
        resets = any(name in RESETS for _, parsed in code.trees for name, _ in calls_in(parsed))
        if not setup.shuffle and (resets or setup.epochs == 1):
            return Cleared("rows keep their order and the state is reset")
        said = "fit shuffles the rows" if setup.shuffle else f"{setup.epochs} epochs follow each other without a reset"
        return Suspect(
            message=f"{keeping[0].name} carries its state over to unrelated rows",
            location=setup.layer_location(keeping[0], "stateful", label="kept between batches"),
            related=(setup.sources.argument(setup.sites["fit"], "shuffle", whole=True) or setup.fit_location(),),
            evidence=gathered(
                Evidence(
                    measure="stateful-layers",
                    value=len(keeping),
                    text=f"{len(keeping)} layers are stateful, and {said}",
                )
            ),
            cures=(ForgetState(),),
            conclusion="each batch begins with the state that other rows left",
        )
