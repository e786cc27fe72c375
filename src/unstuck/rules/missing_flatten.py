"""A dense layer that answers for every position of a row instead of for the row."""

from __future__ import annotations

from math import prod

from unstuck.experiments.interventions.flatten import FlattenBefore
from unstuck.finding import Evidence
from unstuck.measure.contract import UNKNOWN_SHAPES, UNPAIRED, Contract, Shape, by_row, output_shape, paired
from unstuck.measure.replay import Replay
from unstuck.measure.seen import fit_raised, gathered
from unstuck.measure.setup import Layer, Setup
from unstuck.rules.rule import Cleared, Example, NotApplicable, Rule, Suspect

POINTWISE = frozenset(
    {
        "Dense",
        "Activation",
        "ReLU",
        "LeakyReLU",
        "ELU",
        "Softmax",
        "BatchNormalization",
        "LayerNormalization",
        "Dropout",
    }
)
"""Layers that treat every position of a row alike; in front of them the positions have to be brought together."""


class MissingFlatten(Rule):
    """The output has an answer for every position of a row, and each row has one target.

    What it finds
    A network on images, sequences or windows whose dense layers work on the last axis only, because nothing (Flatten,
    a pooling, a recurrent layer) brings the positions of a row together, under targets that are one a row.

    Why training stops
    Where Keras repeats the one target for every position, each position is asked for an answer that only all of them
    together hold. Most pairs of loss and shape are refused by the first step of fit.

    What you see
    An error about incompatible shapes in the first step, (32,) and (32, 8) or so; or a loss that stays near that of the
    mean, and a predict() that returns more answers than there are rows.

    How it is proven
    From the shapes of the targets and of the output. The same network is trained with a Flatten before its dense
    layers.

    When to ignore it
    Never where each row has one target. For one target a position hand over targets of that shape.

    References
    keras/src/layers/core/dense.py (a kernel on the last axis of inputs of any rank); keras/src/losses/loss.py
    (squeeze_or_expand_to_same_rank).
    """

    code = "OUT127"
    severity = "error"
    sick = Example(
        """
y, y_val = y - y.mean(), y_val - y.mean()
model = keras.Sequential([
    keras.layers.Reshape((5, 2)),
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(1),
])
model.compile(keras.optimizers.Adam(0.01), loss="mse")
model.fit(x, y, epochs=20, validation_data=(x_val, y_val), verbose=0)
""",
        data="regression",
    )
    healthy = Example(
        """
y, y_val = y - y.mean(), y_val - y.mean()
model = keras.Sequential([
    keras.layers.Reshape((5, 2)),
    keras.layers.Flatten(),
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(1),
])
model.compile(keras.optimizers.Adam(0.01), loss="mse")
model.fit(x, y, epochs=20, validation_data=(x_val, y_val), verbose=0)
""",
        data="regression",
    )

    def check(self, setup: Setup, contract: Contract, replay: Replay | None) -> Cleared | NotApplicable | Suspect:
        if not paired(setup, contract):
            return NotApplicable(UNPAIRED)
        if setup.loss.custom:
            return NotApplicable("a loss of your own may compare other shapes")
        if any(layer.returns_sequences for layer in setup.layers):
            return NotApplicable("a recurrent layer gives its steps: see sequence-output-for-single-target")
        labels, output = contract.label_shape, output_shape(contract, replay)
        if labels is None or output is None:
            return NotApplicable(UNKNOWN_SHAPES)
        positions = output[1:-1]
        count = prod(n or 1 for n in positions)
        if None in positions or count == 1:
            return Cleared("the output has one answer a row")
        first = _first_dense(setup)
        if first is None or not _one_a_row(labels, output):
            return Cleared("the targets have the positions that the output has")
        shape = " x ".join(map(str, positions))
        return Suspect(
            message=f"nothing brings the {shape} positions of a row together, and each row has one target",
            confidence="proven",
            location=setup.layer_location(first, label=f"answers for each of {count} positions"),
            related=(
                setup.layer_location(setup.head.layer, "units", 0, label="the output")
                if setup.head.layer is not first
                else None,
                setup.sources.argument(setup.sites["fit"], "y", 1, label="one target a row"),
            ),
            evidence=gathered(
                Evidence(
                    measure="answers-a-row",
                    text=f"the output has the shape {by_row(output)}, the targets {by_row(labels)}",
                    value=float(count),
                    expected=1.0,
                ),
                fit_raised(contract),
            ),
            scope={"layer": first.name},
            cures=(FlattenBefore(first.name),),
            conclusion="a dense layer works on the last axis alone, so there is an answer for each position and none "
            "for the row",
            leads_to=(
                "label-format-mismatch",
                "broadcast-target",
                "broadcast-loss",
                "learning-rate-too-low",
                "too-few-updates",
                "model-too-small",
                "no-nonlinearity",
                "no-signal",
            ),
        )


def _one_a_row(labels: Shape, output: Shape) -> bool:
    """Whether the targets are a number or a row of columns a row, and no sequence that Keras pairs with the output."""
    paired_up = len(labels) == len(output) - 1 and labels[1:] == output[1:-1]
    return len(labels) <= 2 and not paired_up


def _first_dense(setup: Setup) -> Layer | None:
    """The first dense layer after the last one that looks at several positions."""
    found = None
    for layer in reversed(setup.layers):
        if layer.kind not in POINTWISE or not layer.builtin:
            break
        if layer.kind == "Dense":
            found = layer
    return found
