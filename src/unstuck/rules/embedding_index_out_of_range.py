"""Token numbers that an embedding has no row for."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from unstuck.experiments.interventions.vocabulary import SetInputDim
from unstuck.finding import Evidence
from unstuck.measure.contract import Contract
from unstuck.measure.data import Data
from unstuck.measure.network.graph import Graph
from unstuck.measure.seen import first_non_finite, fit_raised, gathered
from unstuck.measure.setup import Layer, Setup
from unstuck.measure.training.curve import Curve
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect

MOST_ROWS = 200_000
"""Rows of a table that a trial still makes: the vocabularies of common text models have 30,000 to 250,000."""


class EmbeddingIndexOutOfRange(Rule):
    """Inputs of an Embedding below 0, or as large as its `input_dim` or larger.

    What it finds
    Token numbers outside 0 to `input_dim` - 1: a vocabulary that is larger than the table, numbers that start at 1 with
    a table of just as many rows, -1 or 999999 for an unknown word, or numbers of another tokenizer.

    Why training stops
    The layer looks up the row with the token's number. There is none. JAX returns NaN for it, which reaches every
    weight in the first update; below 0 it counts from the end, without a word. TensorFlow on a GPU gives zeros;
    TensorFlow on a CPU and PyTorch raise.

    What you see
    On JAX loss: nan from the first step; else an InvalidArgumentError or IndexError about indices.

    How it is proven
    By comparing the inputs, all rows of them, with the size of the table.

    When to ignore it
    Never: such a token has no vector.

    References
    keras/src/layers/core/embedding.py; jax.numpy.take, mode "fill"; tf.gather on out-of-bound indices.
    """

    code = "DAT207"
    severity = "error"
    sick = Example(
        """
rng = np.random.default_rng(0)
tokens = rng.integers(1, 1001, size=(800, 20))
found = (np.isin(tokens, np.arange(1, 60)).sum(axis=1) > 1).astype("int32")
model = keras.Sequential([
    keras.layers.Embedding(1000, 16),
    keras.layers.GlobalAveragePooling1D(),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy")
model.fit(tokens, found, validation_split=0.2, epochs=5, verbose=0)
"""
    )
    healthy = Example(
        """
rng = np.random.default_rng(0)
tokens = rng.integers(1, 1001, size=(800, 20))
found = (np.isin(tokens, np.arange(1, 60)).sum(axis=1) > 1).astype("int32")
model = keras.Sequential([
    keras.layers.Embedding(1001, 16),
    keras.layers.GlobalAveragePooling1D(),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy")
model.fit(tokens, found, validation_split=0.2, epochs=15, verbose=0)
"""
    )

    def check(
        self, setup: Setup, data: Data, graph: Graph | None, contract: Contract | None, curve: Curve | None
    ) -> Judgement:
        reading = [(layer, *span) for layer, i in _embeddings(setup, graph) for span in _span(data, i)]
        if not reading:
            return NotApplicable("no Embedding reads the inputs directly")
        outside = [entry for entry in reading if entry[1] < 0 or entry[2] >= entry[0].config["input_dim"]]
        if not outside:
            layer, low, high = reading[0]
            size = layer.config["input_dim"]
            return Cleared(f"inputs of '{layer.name}' go from {low} to {high}; it has {size} rows", high, size - 1)
        layer, low, high = outside[0]
        size = layer.config["input_dim"]
        return Suspect(
            message=f"inputs of '{layer.name}' go from {low} to {high}, and it has the rows 0 to {size - 1}",
            confidence="proven",
            location=setup.layer_location(layer, "input_dim", 0, f"{size} rows"),
            related=(setup.sources.argument(setup.sites["fit"], "x", 0, label=f"{low} to {high}"),),
            evidence=gathered(
                Evidence(measure="largest-index", text=f"the largest index is {high}", value=high, expected=size - 1)
                if high >= size
                else Evidence(measure="smallest-index", text=f"the smallest index is {low}", value=low, expected=0),
                fit_raised(contract),
                first_non_finite(curve),
            ),
            scope={"layer": layer.name},
            cures=(SetInputDim(layer.name, high + 1),) if low >= 0 and high < MOST_ROWS else (),
            conclusion="the table has no row for such a token",
            leads_to=(
                "diverging-loss",
                "non-finite-step",
                "swallowed-nan",
                "undefined-operation",
                "learning-rate-too-high",
                "dying-relu",
                "no-signal",
                "unscaled-inputs",
            ),
        )


def _embeddings(setup: Setup, graph: Graph | None) -> Iterator[tuple[Layer, int]]:
    """Embedding layers that read an input as it is, each with the number of that input."""
    if graph is None:
        return
    for layer in setup.layers:
        node = graph.nodes.get(layer.name)
        if layer.kind != "Embedding" or not layer.builtin or node is None or not layer.config.get("input_dim"):
            continue
        read = node.inputs[0] if node.inputs else node.name  # the first of a Sequential reads the array itself
        if len(node.inputs) <= 1 and read in graph.inputs:
            yield layer, graph.inputs.index(read)


def _span(data: Data, number: int) -> Iterator[tuple[int, int]]:
    """Smallest and largest value of an input over all rows."""
    about = (data.stats.get("x") or ())[number : number + 1]
    if about and "min" in about[0]:
        yield int(about[0]["min"]), int(about[0]["max"])
    elif number < len(data.x) and data.x[number].size and np.isfinite(data.x[number].astype(np.float64)).all():
        yield int(data.x[number].min()), int(data.x[number].max())
