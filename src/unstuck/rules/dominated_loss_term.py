"""A term of the loss with no weight, or drowned by another."""

from __future__ import annotations

import numpy as np

from unstuck.experiments.intervention import Intervention
from unstuck.experiments.interventions.balance_loss_terms import BalanceLossTerms
from unstuck.experiments.interventions.loss import SetLoss
from unstuck.experiments.source_edits import fix
from unstuck.finding import Evidence, Severity
from unstuck.measure.contract import Contract
from unstuck.measure.network.graph import Graph
from unstuck.measure.replay import Replay
from unstuck.measure.seen import gathered, standstill, zero_loss
from unstuck.measure.setup import Setup
from unstuck.measure.training.curve import Curve
from unstuck.measure.training.loss_terms import LossTerm, LossTerms
from unstuck.rules.rule import Cleared, Example, NotApplicable, Rule, Suspect

DWARFED = 100.0
"""Ratio of two weighted terms in the first epoch from which the smaller one decides less than a hundredth of a step
(catalogue OUT122)."""
IDLE = 0.1
"""A term that fell by less than this share of its start did not take part in the training."""


class DominatedLossTerm(Rule):
    """One part of the loss has the weight 0, or is so small that another decides every step.

    What it finds
    loss_weights with a 0 in them, and losses of several outputs that differ a hundredfold while the smallest does not
    improve.

    Why training stops
    The gradient of a term is multiplied by its weight: 0 leaves its output as it was initialised, and if all weights
    are 0 nothing moves. Of two terms of very different size the larger decides where shared layers go.

    What you see
    A total loss of exactly 0.0 if every weight is 0; else one output's loss that stays while the total falls.

    How it is proven
    A weight of 0 from the settings alone. For terms of different size the losses that Keras printed for each output are
    shown. Where the smallest is that of the first output, a trial with the terms brought to one size decides; else it
    stays likely.

    When to ignore it
    When an output is only watched and not trained, or the terms are meant to be unequal.

    References
    keras/src/trainers/compile_utils.py (CompileLoss). keras-team/keras#4030.
    """

    code = "OUT122"
    severity = "error"
    sick = Example(
        """
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile("adam", loss="binary_crossentropy", loss_weights=[0.0], metrics=["accuracy"])
model.fit(x, y, epochs=4, validation_data=(x_val, y_val), verbose=0)
"""
    )
    healthy = Example(
        """
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile("adam", loss="binary_crossentropy", loss_weights=[1.0], metrics=["accuracy"])
model.fit(x, y, epochs=20, validation_data=(x_val, y_val), verbose=0)
"""
    )

    def check(
        self,
        setup: Setup,
        contract: Contract,
        terms: LossTerms,
        graph: Graph | None,
        replay: Replay | None,
        curve: Curve | None,
    ) -> Cleared | NotApplicable | Suspect:
        found = terms.terms
        if not found or setup.custom_train_step:
            return NotApplicable("there is no loss, or it is put together in an own training step")
        silent = [term for term in found if term.weight == 0]
        if silent:
            return self._silent(setup, contract, silent, len(found), replay, curve)
        if len(found) < 2:
            return NotApplicable("the loss has one term, with a weight")
        sizes = [(abs(term.weight * float(term.values[0])), term) for term in found if len(term.values)]
        if len(sizes) < 2 or not np.isfinite([size for size, _ in sizes]).all():
            return NotApplicable("Keras printed no loss for each output")
        port = graph.ports[0] if graph is not None and graph.ports else found[0].output
        scored = [pair for pair in sizes if pair[1].output == port]
        large, small = max(sizes, key=_size), min(sizes, key=_size)
        if scored and 0 < scored[0][0] <= large[0] / DWARFED:
            small = scored[0]  # of which a trial can tell
        ratio = large[0] / small[0] if small[0] > 0 else float("inf")
        balanced = _balanced(setup, sizes, small[0]) if small in scored and len(sizes) == len(found) else ()
        fallen = 1 - small[1].values[-1] / small[1].values[0] if small[1].values[0] else 1.0
        if ratio < DWARFED or (fallen >= IDLE and not balanced):
            return Cleared("no term of the loss drowns another", ratio, DWARFED)
        stays = ", which stays" if fallen < IDLE else ""
        return Suspect(
            message=f"the loss of {large[1].output} is {ratio:,.0f} times that of {small[1].output}{stays}",
            confidence="likely",
            severity="warning",
            location=setup.compile_location("loss_weights", 2, "the terms are not of one size"),
            evidence=tuple(_course(term) for _, term in (large, small)),
            scope={"output": small[1].output},
            cures=balanced,
            unless_confirmed="the smaller term of the loss falls all the same" if fallen >= IDLE else "",
            leads_to=("unscaled-targets", "too-few-updates", "learning-rate-too-low"),
        )

    def _silent(
        self,
        setup: Setup,
        contract: Contract,
        silent: list[LossTerm],
        terms: int,
        replay: Replay | None,
        curve: Curve | None,
    ) -> Suspect:
        every = len(silent) == terms
        names = ", ".join(term.output for term in silent if term.output)
        severity: Severity = "error" if every else "warning"
        cures: tuple[Intervention, ...] = ()
        if contract.single and not setup.loss.custom:
            cures = (SetLoss(setup.loss.name, setup.loss.from_logits),)
        return Suspect(
            message="the loss has the weight 0" if every else f"the loss of {names} has the weight 0",
            confidence="proven",
            severity=severity,
            location=setup.compile_location("loss_weights", 2, "0 times the loss"),
            evidence=gathered(
                zero_loss(curve) if every else None,
                standstill(replay),
                *(_course(term) for term in silent if term.output and len(term.values)),
            ),
            cures=cures,
            fix=fix(
                "give every term of the loss a weight above 0",
                [setup.sources.set_argument(setup.sites["compile"], "loss_weights", "None", 2)],
            ),
            conclusion="a loss multiplied by 0 has no gradient, whatever the data",
            leads_to=(
                "loss-ignores-predictions",
                "learning-rate-too-low",
                "silent-missing-gradient",
                "too-few-updates",
            ),
        )


def _balanced(setup: Setup, sizes: list[tuple[float, LossTerm]], wanted: float) -> tuple[Intervention, ...]:
    """The larger terms brought to the size that is wanted."""
    if wanted <= 0:
        return ()
    weights = [term.weight * wanted / max(size, wanted) for size, term in sizes]
    outputs = tuple(term.output for _, term in sizes) if setup.losses_by_name else ()
    return (BalanceLossTerms(tuple(float(f"{weight:.1g}") for weight in weights), outputs),)


def _size(pair: tuple[float, LossTerm]) -> float:
    return pair[0]


def _course(term: LossTerm) -> Evidence:
    first, last = float(term.values[0]), float(term.values[-1])
    text = f"the loss of {term.output} went from {first:.4g} to {last:.4g}, weight {term.weight:g}"
    return Evidence(measure=f"loss-of-{term.output}", text=text, value=last, expected=None)
