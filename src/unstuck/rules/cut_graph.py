"""NET104: the way from the loss to the weights is cut."""

from __future__ import annotations

import ast

from unstuck.experiments.interventions.smooth import PassThrough
from unstuck.finding import Evidence
from unstuck.measure.code.differentiable import detaching_calls
from unstuck.measure.code.own_code import OwnCode, calls_in
from unstuck.measure.contract import Contract
from unstuck.measure.network.graph import Graph
from unstuck.measure.network.moves import Moves
from unstuck.measure.seen import gathered
from unstuck.measure.setup import Setup
from unstuck.measure.training.keras_warnings import KerasWarnings
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect

REFUSED = "fit-raised"
REFUSALS = ("No gradients provided for any variable", "does not require grad")
"""What TensorFlow and PyTorch say when no gradient reaches any variable."""
PATH = ("call", "train_step", "compute_loss")
"""Methods through which the loss depends on the weights."""


class CutGraph(Rule):
    """
    What it finds:
    stop_gradient, NumPy conversion or predict() between trainable layers and the loss.

    Why training stops:
    The result of these is a plain value without a history. No gradient flows back through it, so the layers before it
    are never told how to change.

    What you see:
    A loss that only later layers bring down, or that stays constant; TensorFlow warns "Gradients do not exist for
    variables".

    How it is proven:
    From the graph, or the source of call and train_step, and from the snapshots: the weights before the cut did not
    move. Where the cut can be taken out, the network is trained without it from the same seeds.

    When to ignore it:
    When the part before the cut is to stay as it is; better say so with trainable=False. A cut beside another path, as
    in a straight-through estimator, leaves the weights moving and is cleared.

    References:
    keras.ops.stop_gradient; van den Oord et al. 2017, "Neural Discrete Representation Learning" (where it is meant).
    """

    code = "NET104"
    severity = "error"
    echo_of = ("everything-frozen", "late-trainable-change", "non-differentiable-operation")
    sick = Example(
        """
inputs = keras.Input((30,))
hidden = keras.layers.Dense(2, activation="relu", name="features")(inputs)
hidden = keras.ops.stop_gradient(hidden)
outputs = keras.layers.Dense(1, activation="sigmoid")(hidden)
model = keras.Model(inputs, outputs)
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, validation_data=(x_val, y_val), epochs=20, verbose=0)
"""
    )
    healthy = Example(
        """
inputs = keras.Input((30,))
hidden = keras.layers.Dense(8, activation="relu", name="features")(inputs)
rounded = hidden + keras.ops.stop_gradient(keras.ops.round(hidden) - hidden)
outputs = keras.layers.Dense(1, activation="sigmoid")(rounded)
model = keras.Model(inputs, outputs)
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, validation_data=(x_val, y_val), epochs=20, verbose=0)
"""
    )

    def check(
        self,
        setup: Setup,
        graph: Graph | None,
        moves: Moves | None,
        code: OwnCode,
        contract: Contract,
        warnings: KerasWarnings,
    ) -> Judgement:
        said = _refused(contract) or warnings.cite("Gradients do not exist for variables")
        cuts = [name for name, node in graph.nodes.items() if node.kind == "StopGradient"] if graph else []
        if graph is not None and cuts:
            return self._wired(setup, graph, cuts, moves, said)
        found = [
            (own.file, name, call)
            for own in code.in_use
            for method in own.methods
            if method.name in PATH
            for name, call in (*detaching_calls(method), *_predictions(method))
        ]
        if not found:
            return NotApplicable("nothing in the model or its methods cuts the graph")
        if moves is None or not moves.steps or not moves.still:
            return Cleared("every trainable variable moved, so a gradient reaches it")
        every = len(moves.still) == len(moves.trained)
        if not every and setup.custom_train_step:
            return Cleared("some variables did not move; a training step of one's own may leave them out on purpose")
        file, name, call = found[0]
        return Suspect(
            message=f"{name}() cuts the way from the loss to the weights",
            confidence="proven" if every else "likely",
            location=code.location(file, call, "no gradient flows back"),
            evidence=gathered(_never_moved(moves, [m.path for m in moves.still]), said),
            scope={"call": name},
            conclusion=f"{name}() returns a value without a history, and no weight moved" if every else "",
            leads_to=("silent-missing-gradient", "disconnected-branch", "learning-rate-too-low", "too-few-updates"),
        )

    def _wired(
        self, setup: Setup, graph: Graph, cuts: list[str], moves: Moves | None, said: Evidence | None
    ) -> Judgement:
        behind = [name for node in graph.behind(cuts) for name in graph.nodes[node].members]
        before = [layer for layer in setup.layers if layer.name in behind and layer.params and layer.trainable]
        refused = said is not None and said.measure == REFUSED
        stepped = moves if moves is not None and moves.steps else None
        if not before or (stepped is None and not refused):
            return Cleared("no trainable layer lies behind the cut alone")
        trained = stepped.trained if stepped else ()
        own = [move for move in trained if any(move.of(layer.name) for layer in before)]
        if any(move.change for move in own):
            return Cleared("the layers behind it moved, so a gradient reaches them")
        every = refused or len(own) == len(trained)
        return Suspect(
            confidence="proven" if every else "likely",
            message=f"stop_gradient keeps {len(before)} trainable layers from learning",
            location=setup.layer_location(before[-1], label="never learns"),
            related=tuple(setup.layer_location(layer) for layer in before[:-1][:3]),
            evidence=gathered(_never_moved(stepped, [move.path for move in own]) if stepped and own else None, said),
            scope={"operation": cuts[0]},
            cures=(PassThrough(cuts[0]),),
            conclusion="no way from the loss to a weight avoids it" if every else "",
            leads_to=("silent-missing-gradient", "disconnected-branch", "vanishing-gradient", "model-too-small",
                      "learning-rate-too-low", "too-few-updates"),
        )  # fmt: skip


def _refused(contract: Contract) -> Evidence | None:
    """The backend itself said that no gradient reaches any variable."""
    if not any(text in contract.error for text in REFUSALS):
        return None
    return Evidence(measure=REFUSED, text=f"fit raised {contract.error.splitlines()[0][:100]}")


def _never_moved(moves: Moves, paths: list[str]) -> Evidence:
    return Evidence(
        measure="variables-that-never-moved",
        value=len(paths),
        of=len(moves.trained),
        text=f"{len(paths)} of {len(moves.trained)} trainable variables did not move in {moves.steps} steps,"
        f" {paths[0]} among them",
    )


def _predictions(method: ast.FunctionDef) -> list[tuple[str, ast.Call]]:
    """`self.predict(...)` and the like inside a method of the model."""
    return [(name, call) for name, call in calls_in(method) if name in ("predict", "predict_on_batch")]
