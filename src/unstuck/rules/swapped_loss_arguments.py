"""Predictions where a loss wants the labels."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from unstuck.experiments.interventions.loss import SetLoss
from unstuck.finding import Evidence, Location
from unstuck.measure.code.own_code import OwnCode, functions_named, last_name
from unstuck.measure.contract import UNPAIRED, Contract, paired
from unstuck.measure.seen import gathered, loss_at_chance
from unstuck.measure.setup import LOSS_NAMES, Setup
from unstuck.measure.skill import Skill
from unstuck.rules.rule import Cleared, Example, NotApplicable, Rule, Suspect

ASYMMETRIC = {
    "binary_crossentropy": "cross-entropy takes the logarithm of its second argument",
    "categorical_crossentropy": "cross-entropy takes the logarithm of its second argument",
    "sparse_categorical_crossentropy": "cross-entropy takes class numbers first",
    "kl_divergence": "the divergence weighs by its first argument",
    "poisson": "the Poisson loss takes the logarithm of its second argument",
    "mean_absolute_percentage_error": "the percentage is of the first argument",
}
"""Losses of Keras whose two arguments are not alike (keras/src/losses/losses.py), and in what."""
FIRST = ("y_true", "target", "targets", "labels")
SECOND = ("y_pred", "output", "outputs", "predictions")


class SwappedLossArguments(Rule):
    """A loss of your own hands the predictions to Keras as labels, and the labels as predictions.

    What it finds
    A loss function that calls an asymmetric loss of Keras with its second parameter first.

    Why training stops
    Keras calls a loss with the labels first and the predictions second. The other way round cross-entropy takes the
    logarithm of the labels, clipped at 1e-7, and is linear in the predictions: it has no lowest value on logits, and on
    probabilities no slope that fades where an answer is right.

    What you see
    A loss that is negative, falls without end, or is many times higher than it should be; sometimes NaN.

    How it is proven
    The source shows the order. Whether it matters here is decided by training the same network with the loss as Keras
    has it, from the same seeds.

    When to ignore it
    When the divergence in the other direction is wanted.

    References
    keras-team/keras#5733; keras-team/keras#8993; xiph/rnnoise#117.
    """

    code = "OUT117"
    severity = "error"
    sick = Example(
        """
y, y_val = np.exp(y), np.exp(y_val)

def counts(y_true, y_pred):
    return keras.losses.poisson(y_pred, y_true)

model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="exponential"),
])
model.compile("adam", loss=counts)
model.fit(x, y.reshape(-1, 1), epochs=10, validation_data=(x_val, y_val.reshape(-1, 1)), verbose=0)
""",
        data="regression",
    )
    healthy = Example(
        """
y, y_val = np.exp(y), np.exp(y_val)

def counts(y_true, y_pred):
    return keras.losses.poisson(y_true, y_pred)

model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="exponential"),
])
model.compile("adam", loss=counts)
model.fit(x, y.reshape(-1, 1), epochs=20, validation_data=(x_val, y_val.reshape(-1, 1)), verbose=0)
""",
        data="regression",
    )

    def check(
        self, setup: Setup, contract: Contract, code: OwnCode, skill: Skill | None
    ) -> Cleared | NotApplicable | Suspect:
        if not setup.loss.custom or not setup.loss.name:
            return NotApplicable("the loss is Keras's own, or there is none")
        if not paired(setup, contract):
            return NotApplicable(UNPAIRED)
        functions = [(f, n) for f, parsed in code.trees for n in functions_named(parsed, setup.loss.name)]
        if not functions:
            return NotApplicable("the source of the loss is not at hand")
        found = [(*swap, file) for file, node in functions for swap in _swapped(node)]
        if not found:
            return Cleared("the loss calls no asymmetric loss of Keras with its arguments in the other order")
        name, call, file = found[0]
        place: Location = code.location(file, call, "predictions first")
        return Suspect(
            message=f"{name}() is given the predictions as labels and the labels as predictions",
            confidence="likely",
            location=place,
            related=(setup.loss_location("called with the labels first"),),
            evidence=gathered(
                Evidence(measure="swapped-arguments", text=f"{ASYMMETRIC[name]}; it is written {ast.unparse(call)}"),
                loss_at_chance(skill),
            ),
            scope={"loss": setup.loss.name},
            cures=(SetLoss(name, _takes_logits(call)),),
            leads_to=(
                "loss-ignores-predictions",
                "learning-rate-too-low",
                "learning-rate-too-high",
                "diverging-loss",
                "saturated-loss-clip",
                "non-finite-step",
                "missing-output-activation",
                "too-few-updates",
            ),
        )


def _swapped(function: ast.FunctionDef | ast.Lambda) -> Iterator[tuple[str, ast.Call]]:
    """Calls of asymmetric losses that get the function's second parameter first."""
    parameters = [argument.arg for argument in function.args.args]
    if len(parameters) < 2:
        return
    labels, predictions = parameters[:2]
    for node in ast.walk(function):
        if not isinstance(node, ast.Call):
            continue
        name = _loss_name(node)
        if name not in ASYMMETRIC:
            continue
        given = {keyword.arg: last_name(keyword.value) for keyword in node.keywords}
        first = last_name(node.args[0]) if node.args else next((given[k] for k in FIRST if k in given), "")
        second = last_name(node.args[1]) if len(node.args) > 1 else next((given[k] for k in SECOND if k in given), "")
        if (first, second) == (predictions, labels):
            yield name, node


def _loss_name(call: ast.Call) -> str:
    """Canonical name of the loss that is called: a function, or an object made in the same expression."""
    inner = call.func.func if isinstance(call.func, ast.Call) else call.func
    name = last_name(inner)
    if name[:1].isupper():
        name = "".join(f"_{c.lower()}" if c.isupper() and i else c.lower() for i, c in enumerate(name))
    return LOSS_NAMES.get(name.lower(), name)


def _takes_logits(call: ast.Call) -> bool:
    keywords = [*call.keywords, *(call.func.keywords if isinstance(call.func, ast.Call) else [])]
    return any(k.arg == "from_logits" and isinstance(k.value, ast.Constant) and k.value.value is True for k in keywords)
