from __future__ import annotations

from unstuck.experiments.interventions.hold_out import HoldOut
from unstuck.finding import Evidence
from unstuck.measure.data import Data
from unstuck.measure.leakage.overlap import Overlap
from unstuck.measure.leakage.rows import Rows
from unstuck.measure.setup import Setup
from unstuck.measure.task import Task
from unstuck.rules.rule import Cleared, Example, Judgement, Rule, Suspect

NEARLY_ALL = 0.9
"""Share of the validation rows from which the two sets are one; a lesser overlap is `overlapping-rows`."""


class ValidationIsTraining(Rule):
    """
    What it finds:
    Validation on the rows that are trained on: the same arrays, a slice of them, or the same folder or generator.

    Why training stops:
    It does not. Validation repeats the training score, so overfitting is invisible: early stopping, checkpoints and
    schedules that watch `val_loss` follow the training loss.

    What you see:
    `val_loss` equals `loss` but for dropout and the running mean, and no gap opens however long it trains. With
    random labels validation accuracy still reaches 1.

    How it is proven:
    By fingerprints of all rows. The price is measured on rows held out of the training rows, copies on one side.

    When to ignore it:
    When a few rows are overfitted on purpose, as a test of the model.

    References:
    https://github.com/keras-team/keras/issues/9050
    https://github.com/keras-team/keras/issues/6102
    """

    code = "LEK205"
    severity = "error"
    sick = Example(
        """
y = np.random.default_rng(0).permutation(y)
model = keras.Sequential([
    keras.Input((x.shape[1],)),
    keras.layers.Dense(256, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.Adam(0.003), loss="binary_crossentropy")
model.fit(x, y, validation_data=(x, y), epochs=60, verbose=0)
""",
    )
    healthy = Example(
        """
model = keras.Sequential([
    keras.Input((x.shape[1],)),
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy")
model.fit(x, y, validation_data=(x_val, y_val), epochs=20, verbose=0)
""",
    )

    def check(self, overlap: Overlap, rows: Rows, data: Data, task: Task, setup: Setup) -> Judgement:
        if overlap.share < NEARLY_ALL:
            text = f"{overlap.matches} of {overlap.held} held-out rows equal a training row"
            return Cleared(text, overlap.share, NEARLY_ALL)
        every = overlap.matches == overlap.held
        groups = rows.train[rows.train_sample]
        return Suspect(
            message=f"{'all' if every else overlap.matches} {overlap.held} validation rows are training rows",
            confidence="proven",
            severity="error",
            location=setup.sources.argument(setup.sites["fit"], "validation_data", label="the rows of x again")
            or setup.fit_location("validates on rows it trains on"),
            evidence=(
                Evidence(
                    measure="overlapping-rows",
                    text=f"{overlap.matches} held-out rows have the fingerprint of a training row",
                    value=overlap.matches,
                    expected=overlap.expected,
                    of=overlap.held,
                ),
            ),
            cures=(HoldOut(task.y, groups),) if len(task.y) == len(data.y) else (),
            harm=True,
            impairs=False,
            conclusion="the rows are equal value by value (as float32), counted over all rows",
            leads_to=("overlapping-rows", "resampled-before-split"),
            fix=HoldOut(task.y, groups).edit(setup),
        )
