"""NET103: an operation inside the network that no gradient passes."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from unstuck.experiments.intervention import Intervention
from unstuck.experiments.interventions.smooth import PassThrough
from unstuck.finding import Evidence, Location
from unstuck.measure.code.differentiable import is_step, stepping_calls
from unstuck.measure.code.own_code import OwnCode, functions_named
from unstuck.measure.contract import Contract
from unstuck.measure.network.graph import Graph, Node
from unstuck.measure.network.moves import Moves
from unstuck.measure.seen import fit_raised, gathered
from unstuck.measure.setup import Layer, Setup
from unstuck.measure.training.keras_warnings import KerasWarnings
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect

REFUSED = ("No gradients provided for any variable", "does not require grad")


class NonDifferentiableOperation(Rule):
    """
    What it finds:
    A rounding, argmax, comparison or cast to integers between trainable layers and the output.

    Why training stops:
    The result of such an operation stays the same when its input moves a little, so its derivative is 0 wherever it
    exists. The layers before it get no gradient; only what comes after it learns.

    What you see:
    Later layers learn on what the first random weights happen to give; earlier ones never change. TensorFlow warns
    "Gradients do not exist for variables"; JAX and PyTorch are often silent.

    How it is proven:
    From the graph: every path from those layers to the output goes through the operation. Their recorded weights did
    not move in any step.

    When to ignore it:
    When the layers before it are meant to stay random, or when a custom gradient passes it: then they move, and the
    run is cleared.

    References:
    keras-team/keras issues 11157 and 15716; tensorflow/tensorflow issue 41528; Bengio, Leonard and Courville 2013,
    "Estimating or Propagating Gradients Through Stochastic Neurons".
    """

    code = "NET103"
    severity = "error"
    echo_of = ("everything-frozen", "missing-loss", "zero-sample-weights", "loss-ignores-predictions")
    sick = Example(
        """
inputs = keras.Input((30,))
hidden = keras.layers.Dense(4, activation="relu", name="codes")(inputs)
hidden = keras.ops.round(hidden)
outputs = keras.layers.Dense(1, activation="sigmoid")(hidden)
model = keras.Model(inputs, outputs)
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, validation_data=(x_val, y_val), epochs=8, verbose=0)
"""
    )
    healthy = Example(
        """
inputs = keras.Input((30,))
hidden = keras.layers.Dense(4, activation="relu", name="codes")(keras.ops.round(inputs))
outputs = keras.layers.Dense(1, activation="sigmoid")(hidden)
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
        contract: Contract,
        code: OwnCode,
        warnings: KerasWarnings,
    ) -> Judgement:
        refused = any(text in contract.error for text in REFUSED)
        if graph is None:
            return self._own(setup, moves, code, warnings)
        found = {name: _steps(node, setup, code) for name, node in graph.nodes.items()}
        stepping = {name: step.place for name, step in found.items() if step is not None}
        if not stepping:
            return NotApplicable("no operation of the model steps")
        behind = [name for node in graph.behind(stepping) for name in graph.nodes[node].members]
        before = [layer for layer in setup.layers if layer.name in behind and layer.params and layer.trainable]
        if not before:
            return Cleared("nothing that is trained comes before an operation that steps")
        own = [m for m in moves.trained if any(m.of(layer.name) for layer in before)] if moves else []
        if any(m.change for m in own) or not ((own and moves and moves.steps) or refused):
            return Cleared("the layers before it moved, so a gradient passes")
        name = next(iter(stepping))
        weights = sum(layer.params or 0 for layer in before)
        steps = moves.steps if moves else 0
        return Suspect(
            message=f"no gradient passes {name}, so the layers before it never learn",
            confidence="proven",
            location=stepping[name] or setup.layer_location(before[-1], label="the last layer before it"),
            related=tuple(setup.layer_location(layer, label="never learns") for layer in before[:3]),
            evidence=gathered(
                Evidence(
                    measure="weights-without-gradient",
                    text=f"none of {weights:,} weights in {len(before)} layers before it moved in {steps} steps",
                    value=weights,
                ),
                fit_raised(contract) if refused else None,
                warnings.cite("Gradients do not exist for variables"),
            ),
            scope={"operation": name},
            cures=_cures(graph.nodes[name]),
            conclusion="its derivative is 0 wherever it exists, for any data and any weights",
            leads_to=("silent-missing-gradient", "disconnected-branch", "vanishing-gradient", "cut-graph",
                      "learning-rate-too-low", "dying-relu", "model-too-small"),
        )  # fmt: skip

    def _own(self, setup: Setup, moves: Moves | None, code: OwnCode, warnings: KerasWarnings) -> Judgement:
        """A model of the person's own class has no graph: the source of `call` and what moved must agree."""
        calls = [
            (own.file, name, call)
            for own in code.in_use
            for method in own.methods
            if method.name == "call"
            for name, call in stepping_calls(method)
        ]
        if not calls:
            return NotApplicable("no call of the person's own layers steps")
        if moves is None or not moves.steps or not moves.still:
            return Cleared("every trainable variable moved, so gradients pass")
        file, name, call = calls[0]
        return Suspect(
            message=f"{name} passes no gradient, and {len(moves.still)} trainable variables never moved",
            location=code.location(file, call, "no gradient passes"),
            evidence=gathered(
                Evidence(
                    measure="variables-that-never-moved",
                    text=f"{len(moves.still)} of {len(moves.trained)} trainable variables did not move in"
                    f" {moves.steps} steps, {moves.still[0].path} among them",
                    value=len(moves.still),
                    of=len(moves.trained),
                ),
                warnings.cite("Gradients do not exist for variables"),
            ),
            leads_to=("silent-missing-gradient", "disconnected-branch", "vanishing-gradient"),
        )


@dataclass(frozen=True)
class _Step:
    """An operation that steps. `place` is where the source says so, None when that is not known."""

    place: Location | None


def _steps(node: Node, setup: Setup, code: OwnCode) -> _Step | None:
    """None when a gradient passes the node."""
    if is_step(node.kind, str(node.arguments.get("dtype") or node.config.get("dtype") or "")):
        return _Step(None)
    layer = next((one for one in setup.layers if one.name == node.name), None)
    for file, body in _bodies(layer, setup, code) if layer else ():
        for name, call in stepping_calls(body):
            return _Step(code.location(file, call, f"{name} passes no gradient"))
    return None


def _bodies(layer: Layer, setup: Setup, code: OwnCode) -> Iterator[tuple[str, ast.AST]]:
    """What a Lambda or a layer of the person's own computes, with the file it is in."""
    if layer.kind == "Lambda":
        call = setup.sources.call(layer.site)
        given = call.args[0] if call and call.args else None
        if isinstance(given, ast.Lambda) and layer.site:
            yield layer.site["file"], given
        elif isinstance(given, ast.Name):
            for file, parsed in code.trees:
                for body in functions_named(parsed, given.id):
                    yield file, body
    for own in code.in_use:
        method = own.method("call")
        if own.name == layer.kind and method is not None:
            yield own.file, method


def _cures(node: Node) -> tuple[Intervention, ...]:
    """Roundings and signs keep the shape of what they read; others cannot simply be taken out."""
    return (PassThrough(node.name),) if node.kind in ("Round", "Floor", "Ceil", "Sign", "Trunc") else ()
