"""A loss that is 0 by design."""

from __future__ import annotations

import ast

from unstuck.finding import Evidence
from unstuck.measure.code.own_code import OwnCode, functions_named, last_name
from unstuck.measure.contract import Contract
from unstuck.measure.replay import Replay
from unstuck.measure.setup import Setup
from unstuck.measure.training.loss_terms import LossTerms
from unstuck.rules.rule import Cleared, Example, NotApplicable, Rule, Suspect

ZEROS = frozenset({"zeros_like", "zeros"})
REDUCTIONS = frozenset({"sum", "mean", "reduce_sum", "reduce_mean"})


class PlaceholderLoss(Rule):
    """One loss returns zeros because another one does the work.

    What it finds
    A loss function of your own that always returns zeros, beside a loss that a layer adds with add_loss or that another
    output has.

    Why training stops
    It does not: the other loss trains the network. The placeholder only satisfies compile().

    What you see
    One loss of exactly 0.0 in every epoch, while the weights move.

    How it is proven
    From the source of the function, and from the weights that moved.

    When to ignore it
    Always: it is shown so that nobody looks for a fault behind the 0. In Keras 3 compile() needs no loss when layers
    add their own.

    References
    keras/src/layers/layer.py (add_loss). tatsy/keras-generative#12; keras-team/keras#5789.
    """

    code = "OBJ109"
    severity = "note"
    sick = Example(
        """
def nothing(y_true, y_pred):
    return keras.ops.zeros_like(y_pred[:, 0])

inputs = keras.Input((30,))
hidden = keras.layers.Dense(16, activation="relu", name="features")(inputs)
model = keras.Model(inputs, {"kind": keras.layers.Dense(1, activation="sigmoid", name="kind")(hidden), "code": hidden})
model.compile("adam", loss={"kind": "binary_crossentropy", "code": nothing})
y = y.reshape(-1, 1)
model.fit(x, {"kind": y, "code": y}, epochs=40, verbose=0)
"""
    )
    healthy = Example(
        """
inputs = keras.Input((30,))
hidden = keras.layers.Dense(16, activation="relu", name="features")(inputs)
model = keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid", name="kind")(hidden))
model.compile("adam", loss="binary_crossentropy")
model.fit(x, y, epochs=20, validation_data=(x_val, y_val), verbose=0)
"""
    )

    def check(
        self, setup: Setup, contract: Contract, code: OwnCode, terms: LossTerms, replay: Replay | None
    ) -> Cleared | NotApplicable | Suspect:
        idle = [term for term in terms.terms if _always_zero(code, term.loss)]
        if not idle:
            return Cleared("no loss function of your own returns zeros only")
        moved = replay is None or not replay.stationary
        if not moved or (len(idle) == len(terms.terms) and not contract.own_loss):
            return NotApplicable("nothing else trains the network: see loss-ignores-predictions")
        name = idle[0].loss
        where = f" of {idle[0].output}" if idle[0].output else ""
        other = "a loss that a layer adds" if len(idle) == len(terms.terms) else "the loss of another output"
        return Suspect(
            message=f"the loss {name}{where} is a placeholder that is always 0; {other} trains the network",
            confidence="proven",
            location=setup.loss_location("always 0"),
            evidence=(
                Evidence(
                    measure="placeholder", text=f"{name} returns zeros whatever it is given", value=0.0, expected=0.0
                ),
            ),
            scope={"loss": name},
            conclusion="it has no part in the training",
            leads_to=("loss-ignores-predictions",),
            impairs=False,
        )


def _always_zero(code: OwnCode, name: str) -> bool:
    functions = [node for _, parsed in code.trees for node in functions_named(parsed, name)] if name else []
    return bool(functions) and all(_returns_zero(node) for node in functions)


def _returns_zero(function: ast.FunctionDef | ast.Lambda) -> bool:
    if isinstance(function, ast.Lambda):
        return _zero(function.body)
    returned = [node.value for node in ast.walk(function) if isinstance(node, ast.Return)]
    return bool(returned) and all(value is not None and _zero(value) for value in returned)


def _zero(node: ast.expr) -> bool:
    """Whether an expression is 0 whatever its names stand for."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, (int, float)) and node.value == 0
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        return _zero(node.left) or _zero(node.right)
    if isinstance(node, ast.Call):
        name = last_name(node.func)
        return name in ZEROS or (name in REDUCTIONS and bool(node.args) and _zero(node.args[0]))
    return False
