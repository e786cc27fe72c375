from __future__ import annotations

import ast

from unstuck.experiments.interventions.remove_overlap import RemoveOverlap
from unstuck.finding import Evidence, Fix, Location
from unstuck.measure.data import Data
from unstuck.measure.leakage.overlap import Overlap
from unstuck.measure.setup import Setup
from unstuck.measure.task import Task
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect

MIN_SHARE = 0.05


class ReshuffledSplit(Rule):
    """
    What it finds:
    A `tf.data` set that is shuffled and then cut with `take` and `skip`: the shuffle draws a new order whenever the
    set is read, so training and validation are cut anew every epoch.

    Why training stops:
    It does not: after a few epochs nearly every validation row has been trained on (81, 97, 97, 99, 100 % measured),
    and the validation score becomes a training score.

    What you see:
    Validation as good as training, a little better every epoch.

    How it is proven:
    By fingerprints of the rows that flow through training and through validation, and by the calls in the source.
    The price is measured by training without the shared rows.

    When to ignore it:
    Never; `reshuffle_each_iteration=False`, or `keras.utils.split_dataset`, costs nothing.

    References:
    https://github.com/tensorflow/tensorflow/issues/59279
    tensorflow/core/ops/dataset_ops.cc, ShuffleDatasetV3 (reshuffle_each_iteration).
    """

    code = "LEK204"
    severity = "error"
    sick = Example(
        """
import tensorflow as tf

y = np.random.default_rng(0).permutation(y)
rows = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(len(y))
train, test = rows.skip(100).batch(32), rows.take(100).batch(32)
model = keras.Sequential([
    keras.Input((x.shape[1],)),
    keras.layers.Dense(256, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.Adam(0.003), loss="binary_crossentropy")
model.fit(train, validation_data=test, epochs=60, verbose=0)
""",
        backends=("jax", "tensorflow"),
    )
    healthy = Example(
        """
import tensorflow as tf

rows = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(len(y), seed=1, reshuffle_each_iteration=False)
train, test = rows.skip(100).batch(32), rows.take(100).batch(32)
model = keras.Sequential([
    keras.Input((x.shape[1],)),
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy")
model.fit(train, validation_data=test, epochs=20, verbose=0)
""",
        backends=("jax", "tensorflow"),
    )

    def check(self, overlap: Overlap, data: Data, task: Task, setup: Setup) -> Judgement:
        if not (data.stats.get("stream") and data.held_stats.get("stream")):
            return NotApplicable("training and validation rows are not both streams")
        text = f"{overlap.matches} of {overlap.held} validation rows were trained on"
        if overlap.share < MIN_SHARE:
            return Cleared(text, overlap.share, MIN_SHARE)
        place = _reshuffling(setup)
        if place is None:
            return Cleared(f"{text}, but no set is shuffled and then cut with take and skip")
        cure = RemoveOverlap(overlap.rows, task.y, len(overlap.rows))
        return Suspect(
            message=f"the split is drawn anew every epoch: {text}",
            confidence="proven",
            location=place,
            related=(setup.fit_location("reads it once an epoch"),),
            evidence=(
                Evidence(measure="validation-rows-trained-on", text=text, value=overlap.matches, of=overlap.held),
            ),
            cures=(cure,) if 0 < len(overlap.rows) < len(data.y) and len(task.y) == len(data.y) else (),
            harm=True,
            impairs=False,
            conclusion="shuffle draws a new order each time the set is read, and the same rows were seen on both sides",
            leads_to=("overlapping-rows", "validation-is-training"),
            fix=Fix(
                title="split first (keras.utils.split_dataset), or shuffle with reshuffle_each_iteration=False",
                applicability="sketch",
            ),
        )


def _reshuffling(setup: Setup) -> Location | None:
    """A `shuffle` without `reshuffle_each_iteration=False` in a file that cuts with both `take` and `skip`."""
    fit = setup.sites["fit"]
    if fit is None:
        return None
    sources, file = setup.sources, fit["file"]
    if not (sources.calls_named(file, "take") and sources.calls_named(file, "skip")):
        return None
    for site in sources.calls_named(file, "shuffle"):
        call = sources.call(site)
        fixed = call is not None and any(
            k.arg == "reshuffle_each_iteration" and isinstance(k.value, ast.Constant) and k.value.value is False
            for k in call.keywords
        )
        if not fixed:
            return sources.location(site, "a new order whenever the set is read")
    return None
