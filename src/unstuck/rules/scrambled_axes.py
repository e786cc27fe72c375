"""NET108: Reshape where axes were to be swapped."""

from __future__ import annotations

from itertools import permutations

from unstuck.experiments.interventions.axes import PermuteInstead
from unstuck.finding import Evidence
from unstuck.measure.data import Data
from unstuck.measure.network.graph import Graph, Node
from unstuck.measure.seen import gathered
from unstuck.measure.setup import Setup
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect

Shape = tuple[int | None, ...]


class ScrambledAxes(Rule):
    """
    What it finds:
    A Reshape layer whose output has the axes of its input in another order: (channels, steps) to (steps, channels).

    Why training stops:
    Reshape keeps the values in their order and only cuts them into other rows. Each new step then holds consecutive
    values of one channel instead of one value of each, so what a convolution or recurrent layer sees has no meaning.

    What you see:
    No error, and a network that learns much less than its data allow.

    How it is proven:
    By the shapes before and after the layer. The same network with Permute in its place is trained from the same
    seeds.

    When to ignore it:
    When the rows were flattened in just this order before. Where the network learns all the same, nothing is said.

    References:
    keras/src/layers/reshaping/reshape.py and permute.py; Stack Overflow question 54191554.
    """

    code = "NET108"
    severity = "error"
    sick = Example(
        """
def series(rows):
    noise = rng.normal(size=(len(rows), 2, 24)).astype("float32")
    noise[:, 0] += np.where(rows == 1, 0.5, 0)[:, None]
    noise[:, 1] -= np.where(rows == 1, 0.5, 0)[:, None]
    return noise

x, x_val = series(y), series(y_val)
model = keras.Sequential([
    keras.Input((2, 24)),
    keras.layers.Reshape((24, 2)),
    keras.layers.Conv1D(8, 1, activation="relu"),
    keras.layers.GlobalAveragePooling1D(),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.Adam(0.03), loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, validation_data=(x_val, y_val), epochs=12, verbose=0)
""",
        data="noise",
    )
    healthy = Example(
        """
def series(rows):
    noise = rng.normal(size=(len(rows), 2, 24)).astype("float32")
    noise[:, 0] += np.where(rows == 1, 0.5, 0)[:, None]
    noise[:, 1] -= np.where(rows == 1, 0.5, 0)[:, None]
    return noise

x, x_val = series(y), series(y_val)
model = keras.Sequential([
    keras.Input((2, 24)),
    keras.layers.Permute((2, 1)),
    keras.layers.Conv1D(8, 1, activation="relu"),
    keras.layers.GlobalAveragePooling1D(),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.Adam(0.03), loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, validation_data=(x_val, y_val), epochs=12, verbose=0)
""",
        data="noise",
    )

    def check(self, setup: Setup, graph: Graph, data: Data) -> Judgement:
        reshaping = [node for node in graph.nodes.values() if node.kind == "Reshape"]
        if not reshaping:
            return NotApplicable("no layer reshapes")
        shapes: dict[str, Shape | None] = {layer.name: layer.output_shape for layer in setup.layers}
        for node in reshaping:
            before = _before(node, shapes, data)
            after = tuple(node.config.get("target_shape") or ())
            axes = _swapped(before, after)
            if axes is None:
                continue
            layer = next((one for one in setup.layers if one.name == node.name), None)
            return Suspect(
                message=f"Reshape from {before} to {after} scrambles the axes instead of swapping them",
                location=setup.layer_location(layer, "target_shape", 0, "cuts rows anew") if layer else None,
                evidence=gathered(
                    Evidence(
                        measure="reshaped-axes",
                        value=len(axes),
                        text=f"the output {after} has the axes of the input {before} in the order {axes}; "
                        "Reshape keeps the values where they are in memory",
                    )
                ),
                scope={"layer": node.name},
                cures=(PermuteInstead(node.name, axes),),
                leads_to=("model-too-small", "memorising", "learning-rate-too-low", "too-few-updates", "no-signal"),
            )
        return Cleared("no Reshape has the axes of its input in another order")


def _before(node: Node, shapes: dict[str, Shape | None], data: Data) -> Shape:
    """Shape of what the node reads, without the batch axis; of the data where it stands first."""
    source = node.inputs[0] if node.inputs else ""
    known = shapes.get(source)
    return (
        tuple(known[1:])
        if known
        else tuple(data.x[0].shape[1:])
        if not node.inputs or source.startswith("input")
        else ()
    )


def _swapped(before: Shape, after: Shape) -> tuple[int, ...] | None:
    """The order of axes (from 1) that turns one shape into the other, when it is not the same shape."""
    if len(before) != len(after) or len(before) < 2 or before == after or None in before or 1 in before:
        return None
    return next(
        (
            tuple(axis + 1 for axis in order)
            for order in permutations(range(len(before)))
            if tuple(before[axis] for axis in order) == after
        ),
        None,
    )
