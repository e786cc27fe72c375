"""A loss of one's own that has no gradient."""

from __future__ import annotations

import ast
from functools import lru_cache

import numpy as np

from unstuck.experiments.interventions.loss import SetLoss
from unstuck.finding import Evidence, Location
from unstuck.measure.code.source import called
from unstuck.measure.contract import Contract, suited_loss
from unstuck.measure.data import Data
from unstuck.measure.replay import Replay
from unstuck.measure.seen import gathered, standstill, steady_loss
from unstuck.measure.setup import Setup
from unstuck.measure.task import Task
from unstuck.measure.training.curve import Curve
from unstuck.rules.rule import Cleared, Example, NotApplicable, Rule, Suspect

BREAKING = frozenset(
    {
        "round",
        "argmax",
        "argmin",
        "sign",
        "floor",
        "ceil",
        "cast",
        "zeros_like",
        "ones_like",
        "stop_gradient",
        "astype",
        "greater",
        "less",
        "equal",
        "greater_equal",
        "less_equal",
        "numpy",
        "convert_to_numpy",
        "accuracy_score",
        "f1_score",
    }
)
"""Calls whose result does not change when a prediction moves a little (catalogue OUT118); shown, never decisive."""
REFUSALS = ("No gradients provided for any variable", "does not require grad")
"""What TensorFlow and PyTorch say when no gradient reaches any variable."""


class LossIgnoresPredictions(Rule):
    """The loss does not change with the predictions, or only in jumps.

    What it finds
    A loss of your own whose gradient with respect to the predictions is 0 on every row: it rounds or casts them, takes
    an argmax, compares the labels with themselves, returns zeros, or leaves the framework through NumPy.

    Why training stops
    Training follows the gradient of the loss. A rounded or constant value does not change when a weight moves a little,
    so its gradient is 0 and no weight moves.

    What you see
    On JAX silence and a constant loss, often 0.0; on TensorFlow "No gradients provided for any variable"; on PyTorch
    "element 0 of tensors does not require grad", or silence after round().

    How it is proven
    The recorded predictions are disturbed and the loss is computed again; its gradient is taken on every probed row. A
    loss that a disturbance leaves as it is, is proven; for one that jumps, the same network is trained with a smooth
    loss from the same seeds.

    When to ignore it
    When the layers add the loss that matters (add_loss), and this one is only a placeholder.

    References
    philtabor/Youtube-Code-Repository#18; keras-team/keras#11157; google-deepmind/dm-haiku#442.
    """

    code = "OUT118"
    severity = "error"
    echo_of = (
        "softmax-on-one-unit",
        "categorical-loss-on-one-unit",
        "missing-loss",
        "zero-sample-weights",
        "everything-frozen",
        "swapped-loss-arguments",
        "margin-satisfied",
    )
    sick = Example(
        """
def error_rate(y_true, y_pred):
    return keras.ops.mean(keras.ops.abs(y_true - keras.ops.round(y_pred)), axis=-1)

model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile("adam", loss=error_rate, metrics=["accuracy"])
model.fit(x, y.reshape(-1, 1), epochs=4, validation_data=(x_val, y_val.reshape(-1, 1)), verbose=0)
""",
        backends=("jax", "torch"),
    )
    healthy = Example(
        """
def brier(y_true, y_pred):
    return keras.ops.mean(keras.ops.square(y_true - y_pred), axis=-1)

model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile("adam", loss=brier, metrics=["accuracy"])
model.fit(x, y.reshape(-1, 1), epochs=20, validation_data=(x_val, y_val.reshape(-1, 1)), verbose=0)
"""
    )

    def check(
        self,
        setup: Setup,
        contract: Contract,
        replay: Replay | None,
        task: Task | None,
        data: Data | None,
        curve: Curve | None,
    ) -> Cleared | NotApplicable | Suspect:
        if not setup.loss.name or not setup.loss.custom:
            return NotApplicable("the loss is Keras's own, or there is none")
        if setup.custom_train_step or not contract.single:
            return NotApplicable("the loss and the output cannot be paired (several outputs, or an own training step)")
        refused = any(text in contract.error for text in REFUSALS)
        if replay is None and not refused:
            return Cleared("the loss trained without being refused; its gradient was not recorded")
        if replay is not None and not refused:
            if not replay.gradient_zero:
                return Cleared("the loss has a gradient with respect to the predictions")
            if not replay.stationary and replay.first.penalty == 0:
                return Cleared("the weights moved, so the loss had a gradient before")
            if not replay.stationary and contract.own_loss:
                return Cleared("the weights move by a loss that a layer adds (add_loss)")
        constant = refused or (replay is not None and replay.loss_change == 0)
        return self._suspect(setup, contract, replay, task, data, curve, constant=constant, refused=refused)

    def _suspect(
        self,
        setup: Setup,
        contract: Contract,
        replay: Replay | None,
        task: Task | None,
        data: Data | None,
        curve: Curve | None,
        *,
        constant: bool,
        refused: bool,
    ) -> Suspect:
        name, from_logits = suited_loss(setup, contract, task, data)
        moves = "does not depend on the predictions" if constant else "changes with the predictions only in jumps"
        return Suspect(
            message=f"the loss {moves}, so it has no gradient",
            confidence="proven" if constant else "likely",
            location=setup.loss_location("this loss"),
            related=breaking_calls(setup, setup.loss.name),
            evidence=gathered(
                Evidence(measure="fit-raised", text=f"fit raised {contract.error.splitlines()[0][:100]}")
                if refused
                else None,
                _disturbed(replay),
                standstill(replay),
                steady_loss(curve.epochs) if curve is not None else None,
            ),
            scope={"loss": setup.loss.name},
            cures=(SetLoss(name, from_logits),),
            conclusion="a loss that stays the same when the predictions change cannot teach them" if constant else "",
            leads_to=("learning-rate-too-low", "vanishing-gradient", "silent-missing-gradient", "too-few-updates"),
        )


def _disturbed(replay: Replay | None) -> Evidence | None:
    if replay is None or not replay.gradient_zero:
        return None
    change = replay.loss_change
    text = "the gradient with respect to the predictions is exactly 0 on every probed row"
    if np.isfinite(change):
        text += f"; other predictions change the loss by {change:.2g} of its value"
    return Evidence(
        measure="relative-loss-change",
        text=text,
        value=change if np.isfinite(change) else None,
        expected=None,
    )


def breaking_calls(setup: Setup, name: str) -> tuple[Location, ...]:
    """Where the recorded source of the loss `name` calls something without a gradient."""
    found = []
    for file, lines in setup.sources.lines.items():
        for word, line, column, end_line, end_column in _breaking("\n".join(lines), name):
            found.append(
                Location(
                    file=setup.sources.shown(file),
                    line=line,
                    column=column + 1,
                    end_line=end_line,
                    end_column=end_column + 1,
                    label=f"{word} has no gradient",
                )
            )
    return tuple(found)


@lru_cache(maxsize=64)
def _breaking(text: str, name: str) -> tuple[tuple[str, int, int, int, int], ...]:
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return ()
    bodies = [
        n for n in ast.walk(tree) if isinstance(n, (ast.FunctionDef, ast.ClassDef)) and _snake(n.name) == _snake(name)
    ]
    calls = [node for body in bodies for node in ast.walk(body) if isinstance(node, ast.Call)]
    named = [(called(call), call) for call in calls]
    return tuple(
        (f"{word}()", call.lineno, call.col_offset, call.end_lineno or call.lineno, call.end_col_offset or 0)
        for word, call in named
        if word in BREAKING
    )


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() and i else c.lower() for i, c in enumerate(name))
