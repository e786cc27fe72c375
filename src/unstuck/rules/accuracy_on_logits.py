"""Logits counted as probabilities by a metric."""

from __future__ import annotations

from unstuck.experiments.source_edits import set_metrics
from unstuck.finding import Evidence
from unstuck.measure.contract import UNPAIRED, Contract, paired, plain_output
from unstuck.measure.data import Data
from unstuck.measure.replay import Replay
from unstuck.measure.seen import SAME_SHARE
from unstuck.measure.setup import BINARY, Setup
from unstuck.measure.task import Task
from unstuck.measure.training.metrics import BY_THRESHOLD, Metrics
from unstuck.rules.rule import Cleared, Example, NotApplicable, Rule, Suspect


class AccuracyOnLogits(Rule):
    """A metric counts an output as 1 above 0.5, where the border of a logit is 0.

    What it finds
    Accuracy, precision or recall with the threshold 0.5 on a linear output under a binary cross-entropy with
    from_logits=True.

    Why training stops
    It does not; the number is off. A logit between 0 and 0.5 means a probability between 0.5 and 0.62, and is counted
    as class 0.

    What you see
    An accuracy below the true one (.9727 for .9922), sometimes stuck while the loss falls, most of all early on when
    logits are small.

    How it is proven
    Both counts are taken from the same recorded predictions.

    When to ignore it
    When the two agree; then it is a note.

    References
    keras/src/metrics/accuracy_metrics.py (BinaryAccuracy). tensorflow/tensorflow#41413; keras-team/keras#15715.
    """

    code = "OUT202"
    severity = "warning"
    sick = Example(
        """
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1),
])
model.compile("adam", loss=keras.losses.BinaryCrossentropy(from_logits=True), metrics=["accuracy"])
model.fit(x, y, epochs=4, validation_data=(x_val, y_val), verbose=0)
"""
    )
    healthy = Example(
        """
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1),
])
metric = keras.metrics.BinaryAccuracy(threshold=0.0)
model.compile("adam", loss=keras.losses.BinaryCrossentropy(from_logits=True), metrics=[metric])
model.fit(x, y, epochs=20, validation_data=(x_val, y_val), verbose=0)
"""
    )

    def check(
        self, setup: Setup, contract: Contract, metrics: Metrics, data: Data, task: Task, replay: Replay | None
    ) -> Cleared | NotApplicable | Suspect:
        if setup.loss.name not in BINARY or not setup.loss.from_logits or setup.head.activation != "linear":
            return NotApplicable("the output is not one of logits for yes or no")
        if not paired(setup, contract):
            return NotApplicable(UNPAIRED)
        counting = [m for m in metrics.entries if m.threshold is not None and m.kind in BY_THRESHOLD]
        wrong = [m for m in counting if m.threshold == 0.5]
        if not wrong or not plain_output(setup) or task.kind not in ("binary", "multilabel"):
            return Cleared("no metric counts the logits from 0.5 on")
        seen = _two_accuracies(data, replay)
        differs = seen is not None and abs(seen[0] - seen[1]) > SAME_SHARE
        keras = setup.sources.keras_name((setup.sites["compile"] or {}).get("file", ""))
        written = f"[{keras or 'keras'}.metrics.BinaryAccuracy(threshold=0.0)]"
        return Suspect(
            message=f"{wrong[0].name} counts an output as 1 above 0.5, and the outputs are logits",
            confidence="proven",
            severity="warning" if differs else "note",
            location=setup.compile_location("metrics", 3, "threshold 0.5"),
            related=(setup.loss_location("takes logits"),),
            evidence=(_beside(*seen),) if seen is not None else (),
            conclusion="a logit of 0 is a probability of 0.5: the border between the classes is 0",
            impairs=False,
            fix=set_metrics(setup, "count logits from 0 on", written),
        )


def _two_accuracies(data: Data, replay: Replay | None) -> tuple[float, float] | None:
    """Share of labels met with the threshold 0.5 and with 0."""
    if replay is None or not replay.train_outputs.size:
        return None
    outputs = replay.train_outputs.reshape(len(replay.train_outputs), -1)
    y = data.y[: len(outputs)].reshape(len(outputs), -1) > 0.5
    if y.shape != outputs.shape:
        return None
    return float(((outputs > 0.5) == y).mean()), float(((outputs > 0) == y).mean())


def _beside(shown: float, true: float) -> Evidence:
    text = f"counted from 0.5 on the accuracy is {shown:.4f}, counted from 0 on {true:.4f}"
    return Evidence(measure="accuracy-at-threshold", text=text, value=shown, expected=true)
