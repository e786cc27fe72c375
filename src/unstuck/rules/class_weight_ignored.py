"""API103: class weights that no label finds."""

from __future__ import annotations

from unstuck.finding import Evidence, Fix
from unstuck.measure.contract import Contract
from unstuck.measure.labels.class_keys import NUMBERS
from unstuck.measure.labels.class_weights import ClassWeights
from unstuck.measure.seen import gathered
from unstuck.measure.setup import Setup
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect


class ClassWeightIgnored(Rule):
    """
    What it finds:
    A class_weight none of whose keys equals a label: strings, names, or labels counted from another number.

    Why training stops:
    Keras looks each integer label up in the dictionary and takes 1 when it is not there, without a word. Training goes
    on as if no weights were given, so a rare class stays as unimportant as before.

    What you see:
    The same curve with and without class_weight.

    How it is proven:
    By looking the recorded labels up in the recorded keys, as Keras does.

    When to ignore it:
    Never: weights that change nothing are better left out.

    References:
    keras/src/trainers/data_adapters/data_adapter_utils.py (class_weight_to_sample_weights); keras-team/keras issue
    23220; tensorflow/tensorflow issues 98283 and 40457.
    """

    code = "API103"
    severity = "warning"
    sick = Example(
        """
counts = np.bincount(y.astype(int))
weights = {str(label): len(y) / count for label, count in enumerate(counts)}
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, class_weight=weights, validation_data=(x_val, y_val), epochs=10, verbose=0)
"""
    )
    healthy = Example(
        """
counts = np.bincount(y.astype(int))
weights = {label: len(y) / count for label, count in enumerate(counts)}
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, class_weight=weights, validation_data=(x_val, y_val), epochs=10, verbose=0)
"""
    )

    def check(self, setup: Setup, contract: Contract, weights: ClassWeights | None) -> Judgement:
        if weights is None or not contract.single:
            return NotApplicable("no class weights are given for classes of one output")
        if set(weights.weights) == {1.0}:
            return Cleared("all class weights are 1, so nothing is lost")
        if weights.found:
            share = len(weights.found) / len(weights.labels)
            return Cleared(f"{len(weights.found)} of {len(weights.labels)} labels have a weight", share, 0.0)
        strings = any(kind not in NUMBERS for kind in weights.kinds)
        keys = ", ".join(repr(key) if strings else key for key in weights.keys[:4])
        labels = ", ".join(map(str, sorted(weights.labels)[:4]))
        return Suspect(
            message="class_weight has no effect: no label is among its keys",
            confidence="proven",
            location=setup.sources.argument(setup.sites["fit"], "class_weight", whole=True) or setup.fit_location(),
            evidence=gathered(
                Evidence(
                    measure="labels-with-a-weight",
                    value=0,
                    of=len(weights.labels),
                    text=f"the keys are {keys} ({weights.kinds[0]}), the labels {labels} (int)",
                )
            ),
            conclusion="Keras weighs a label that is not among the keys with 1",
            impairs=False,
            fix=Fix(
                title="use the integer labels as keys: {0: ..., 1: ...}",
                applicability="sketch",
                alternative="sklearn.utils.class_weight.compute_class_weight with np.unique(y)",
            ),
            leads_to=("class-imbalance",),
        )
