"""EVA105: predictions are turned into classes by the wrong rule."""

from __future__ import annotations

import ast

import numpy as np

from unstuck.finding import Edit, Evidence, Fix
from unstuck.measure.code.own_code import last_name
from unstuck.measure.code.predictions import Predicted, Predictions
from unstuck.measure.contract import Contract
from unstuck.measure.replay import Replay
from unstuck.measure.seen import gathered
from unstuck.measure.setup import Setup
from unstuck.measure.skill import Skill, reading_activation
from unstuck.measure.task import Task
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect

LAST_AXIS = ("1", "-1")
HALF = 0.5


class WrongDecisionRule(Rule):
    """
    What it finds:
    argmax over a single output unit, and logits compared with 0.5.

    Why training stops:
    It does not; the answers are read wrongly. The largest of one number is always number 0, so argmax over one column
    is class 0 for every row. A logit of 0.5 is a probability of 0.62, not of a half.

    What you see:
    Good training and validation accuracy, and predicted classes that are all 0, or too few of class 1.

    How it is proven:
    From the width of the output and the source that reads predict(). The recorded predictions are read both ways.

    When to ignore it:
    When another threshold than one half is meant.

    References:
    Stack Overflow questions 45806669 and 48085182; keras/src/metrics/accuracy_metrics.py (binary_accuracy, threshold
    0.5).
    """

    code = "EVA105"
    severity = "error"
    sick = Example(
        """
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, validation_data=(x_val, y_val), epochs=15, verbose=0)
answers = model.predict(x_val, verbose=0)
print("accuracy", np.mean(np.argmax(answers, axis=1) == y_val))
"""
    )
    healthy = Example(
        """
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, validation_data=(x_val, y_val), epochs=15, verbose=0)
answers = model.predict(x_val, verbose=0)
print("accuracy", np.mean((answers[:, 0] > 0.5) == y_val))
"""
    )

    def check(
        self,
        setup: Setup,
        contract: Contract,
        predictions: Predictions,
        task: Task | None,
        skill: Skill | None,
        replay: Replay | None,
    ) -> Judgement:
        one_unit = contract.width == 1 and len(contract.shape or ()) == 2
        if not predictions.calls or not one_unit or task is None or task.kind != "binary":
            return NotApplicable("no predictions of one unit for two classes are read")
        logits = bool(reading_activation(setup))
        for predicted in predictions.calls:
            for use in predictions.read_by(predicted):
                if _argmax_of_rows(use):
                    return self._suspect(setup, predictions, predicted, use, _all_zero(task, skill), argmax=True)
                if logits and replay is not None and _compares_with_half(use):
                    return self._suspect(setup, predictions, predicted, use, _between(replay), argmax=False)
        return Cleared("the answers are read as they are meant")

    def _suspect(
        self,
        setup: Setup,
        predictions: Predictions,
        predicted: Predicted,
        use: ast.AST,
        seen: Evidence | None,
        *,
        argmax: bool,
    ) -> Suspect:
        place = predictions.location(predicted, use, "always 0" if argmax else "logits, not probabilities")
        edit = None if argmax else _zero_threshold(setup, predictions, predicted, use)
        return Suspect(
            message="argmax over a single output is 0 for every row"
            if argmax
            else "logits are compared with 0.5, which is a probability of 0.62",
            confidence="proven",
            severity="error" if argmax else "warning",
            location=place,
            related=(setup.layer_location(setup.head.layer, "units", 0, "one unit"),),
            evidence=gathered(seen),
            conclusion="the largest of one number is number 0"
            if argmax
            else "sigmoid(0) is one half, not sigmoid(0.5)",
            impairs=False,
            fix=Fix(
                title="compare with 0.5: (answers[:, 0] > 0.5).astype(int)" if argmax else "compare the logits with 0",
                applicability="suggested" if edit else "sketch",
                edits=(edit,) if edit else (),
            ),
        )


def _argmax_of_rows(use: ast.AST) -> bool:
    """`np.argmax(p, axis=1)` or `p.argmax(-1)`; without an axis it looks for a row, which is no decision."""
    if not isinstance(use, ast.Call) or last_name(use.func) != "argmax":
        return False
    given = [k.value for k in use.keywords if k.arg == "axis"] + [*use.args[:2]]
    return any(ast.unparse(axis) in LAST_AXIS for axis in given)


def _compares_with_half(use: ast.AST) -> bool:
    return isinstance(use, ast.Compare) and any(
        isinstance(side, ast.Constant) and side.value == HALF for side in (use.left, *use.comparators)
    )


def _all_zero(task: Task, skill: Skill | None) -> Evidence | None:
    if skill is None or not np.isfinite(skill.held_accuracy):
        return None
    zero = float((task.held_y == 0).mean())
    return Evidence(
        measure="accuracy-of-class-0",
        value=zero,
        expected=skill.held_accuracy,
        text=f"answering 0 for every row is right for {zero:.3f} of the held-out rows; "
        f"the same predictions compared with 0.5 for {skill.held_accuracy:.3f}",
    )


def _between(replay: Replay) -> Evidence:
    outputs = replay.held_outputs if len(replay.held_outputs) else replay.train_outputs
    share = float(((outputs > 0) & (outputs <= HALF)).mean())
    return Evidence(
        measure="logits-between-0-and-a-half",
        value=share,
        expected=0.0,
        of=len(outputs),
        text=f"{share:.1%} of the recorded logits lie between 0 and 0.5 and are called class 0",
    )


def _zero_threshold(setup: Setup, predictions: Predictions, predicted: Predicted, use: ast.AST) -> Edit | None:
    sides = use.comparators if isinstance(use, ast.Compare) else []
    half = next((side for side in sides if isinstance(side, ast.Constant) and side.value == HALF), None)
    return setup.sources.replace(predictions.location(predicted, half), "0") if half is not None else None
