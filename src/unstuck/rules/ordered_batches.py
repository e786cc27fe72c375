"""OPT108: rows sorted by their label and never shuffled."""

from __future__ import annotations

import numpy as np

from unstuck.experiments.interventions.shuffle import ShuffleRows
from unstuck.finding import Evidence
from unstuck.measure.data import Data
from unstuck.measure.seen import gathered
from unstuck.measure.setup import Setup
from unstuck.measure.skill import Skill
from unstuck.measure.task import Task
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect

MIXED = 0.5
"""Diversity of the labels inside a batch over that of all labels. Shuffled batches of 8 rows and more have 0.85 and
more (measured on the examples); sorted labels near 0."""
OFF = 0.1
"""Relative gap between reported and evaluated loss that is more than the progress within an epoch."""


class OrderedBatches(Rule):
    """
    What it finds:
    Rows that come sorted by label, or in blocks, in a fit that does not shuffle.

    Why training stops:
    A batch with one label teaches one thing: say this label. The output's bias follows, is right for the rest of the
    block, and is turned round by the next one. The inputs need not be looked at. The reported loss is a mean taken
    while the weights follow the labels, so it can be near zero.

    What you see:
    A training loss near zero, an accuracy near one, and neither when the same rows are evaluated afterwards. Measured
    on inputs without any signal: 0.04 reported, 3.4 evaluated.

    How it is proven:
    The labels within batches are compared with all labels, the reported loss with the one evaluated on the same rows.
    Then the rows are shuffled, from the same seeds.

    When to ignore it:
    For stateful recurrent networks that need the order; and when it scores well.

    References:
    Bengio 2012, "Practical recommendations for gradient-based training of deep architectures", section 3.1.3;
    keras-team/keras issues 15846, 2711; tensorflow/tensorflow issue 45197.
    """

    code = "OPT108"
    severity = "error"
    sick = Example(
        """
order = np.argsort(y, kind="stable")
model = keras.Sequential([
    keras.layers.Flatten(),
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(10, activation="softmax"),
])
model.compile(keras.optimizers.SGD(0.1), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x[order], y[order], validation_data=(x_val, y_val), batch_size=16, epochs=8, shuffle=False, verbose=0)
""",
        data="images",
    )
    healthy = Example(
        """
model = keras.Sequential([
    keras.layers.Flatten(),
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(10, activation="softmax"),
])
model.compile(keras.optimizers.SGD(0.1), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, validation_data=(x_val, y_val), batch_size=16, epochs=8, shuffle=False, verbose=0)
""",
        data="images",
    )

    def check(self, setup: Setup, data: Data, task: Task, skill: Skill | None) -> Judgement:
        if setup.shuffle:
            return NotApplicable("fit shuffles the rows")
        if setup.batch_size >= len(task.y) or len(data.y) < data.rows or len(task.y) != len(data.y):
            return NotApplicable("the labels of single batches are not known, or there is one batch")
        if setup.batch_size == 1:
            return NotApplicable("a batch is one row")
        mixed = _mixed(task, setup.batch_size)
        if mixed > MIXED:
            return Cleared(f"batches hold {mixed:.0%} of the diversity of all labels", mixed, MIXED)
        return Suspect(
            message="rows come in blocks of one label and are not shuffled",
            location=setup.sources.argument(setup.sites["fit"], "shuffle", 7, label="never shuffled", whole=True)
            or setup.fit_location("never shuffled"),
            evidence=gathered(
                Evidence(
                    measure="label-diversity-in-a-batch",
                    value=mixed,
                    expected=MIXED,
                    text=f"a batch of {setup.batch_size} rows holds {mixed:.0%} of the diversity of all labels",
                ),
                _reported(skill),
            ),
            cures=(ShuffleRows(),),
            leads_to=("learning-rate-too-high", "momentum-oscillation", "diverging-loss"),
        )


def _reported(skill: Skill | None) -> Evidence | None:
    if skill is None or not np.isfinite([skill.reported_loss, skill.evaluated_loss]).all():
        return None
    if abs(skill.reported_loss - skill.evaluated_loss) <= OFF * abs(skill.evaluated_loss):
        return None
    return Evidence(
        measure="reported-loss",
        value=skill.reported_loss,
        expected=skill.evaluated_loss,
        text=f"the last epoch reported a loss of {skill.reported_loss:.4g}; on the same rows, with the weights it "
        f"ended with, the loss is {skill.evaluated_loss:.4g}",
    )


def _mixed(task: Task, size: int) -> float:
    """Mean variance of the labels (one-hot for classes) within full batches over that of all labels."""
    y = np.eye(task.classes)[task.y] if task.is_classes else np.nan_to_num(task.y.astype(np.float64))
    whole = float(y.var(axis=0).sum())
    batches = y[: len(y) // size * size].reshape(-1, size, y.shape[1])
    return float(batches.var(axis=1).sum(axis=1).mean()) / whole if whole > 0 else 1.0
