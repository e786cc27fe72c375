"""EVA107: a metric that is not a mean over rows is averaged over batches."""

from __future__ import annotations

from unstuck.finding import Evidence, Fix
from unstuck.measure.code.batched_metrics import BatchedMetrics
from unstuck.measure.seen import gathered
from unstuck.measure.setup import Setup
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect

APART = 0.01
"""Difference of the two values that is worth a word: the digit people compare models by."""


class MetricAveragedPerBatch(Rule):
    """
    What it finds:
    A metric function of your own whose value on all rows differs from the mean of its values on batches.

    Why training stops:
    It does not; the number is wrong. Keras calls a metric function on each batch and averages the results. That is
    right for means over rows, such as accuracy, and wrong for ratios of sums: F1, precision, recall, R2, AUC.

    What you see:
    A metric that changes with the batch size, and differs from scikit-learn on the same predictions.

    How it is proven:
    The function is called on the recorded predictions, all at once and batch by batch.

    When to ignore it:
    When the batch is what the metric is about.

    References:
    keras-team/keras pull request 5794 (removal of batch-wise F1 in Keras 2.0); keras/src/trainers/compile_utils.py
    (MeanMetricWrapper).
    """

    code = "EVA107"
    severity = "warning"
    sick = Example(
        """
def f1(y_true, y_pred):
    called = keras.ops.cast(y_pred > 0.7, "float32")
    hits = keras.ops.sum(called * y_true)
    return 2 * hits / (keras.ops.sum(called) + keras.ops.sum(y_true) + 1e-7)

y, y_val = 1 - y.reshape(-1, 1), 1 - y_val.reshape(-1, 1)
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy", metrics=[f1])
model.fit(x, y, validation_data=(x_val, y_val), batch_size=4, epochs=6, verbose=0)
"""
    )
    healthy = Example(
        """
def hit(y_true, y_pred):
    return keras.ops.cast(keras.ops.equal(y_true, keras.ops.round(y_pred)), "float32")

y, y_val = y.reshape(-1, 1), y_val.reshape(-1, 1)
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy", metrics=[hit])
model.fit(x, y, validation_data=(x_val, y_val), epochs=15, verbose=0)
"""
    )

    def check(self, setup: Setup, metrics: BatchedMetrics) -> Judgement:
        if not metrics.values:
            return NotApplicable("no metric is a function that could be called on the recorded predictions")
        name, (whole, batched) = max(metrics.values.items(), key=lambda item: abs(item[1][0] - item[1][1]))
        apart = abs(whole - batched)
        if not apart > APART:
            return Cleared(f"{name} is the same on all rows and averaged over batches", apart, APART)
        return Suspect(
            message=f"{name} is averaged over batches: {batched:.3f} instead of {whole:.3f}",
            confidence="proven",
            location=setup.compile_location("metrics", 3, "called on each batch"),
            evidence=gathered(
                Evidence(
                    measure="metric-on-all-rows",
                    value=whole,
                    expected=batched,
                    text=f"on the recorded training rows {name} is {whole:.4f}; the mean over batches of "
                    f"{setup.batch_size} is {batched:.4f}",
                )
            ),
            scope={"metric": name},
            conclusion="a ratio of sums is not the mean of the ratios of its parts",
            impairs=False,
            fix=Fix(
                title=f"make {name} a keras.metrics.Metric that keeps its sums, or compute it once from predict()",
                applicability="sketch",
                alternative="keras.metrics.F1Score, Precision, Recall, AUC and R2Score keep their sums",
            ),
        )
