"""Labels that belong to other rows."""

from __future__ import annotations

from unstuck.experiments.interventions.learning_rate import ScaleLearningRate
from unstuck.experiments.interventions.pair_labels import PairLabels
from unstuck.experiments.interventions.realign import RealignLabels
from unstuck.experiments.interventions.widen import Widen
from unstuck.finding import Evidence, Fix, Location
from unstuck.measure.case import Missing
from unstuck.measure.code.shuffles import Shuffles
from unstuck.measure.data import Data
from unstuck.measure.labels.alignment import MIN_ROWS, Alignment
from unstuck.measure.labels.pairing import Pairing
from unstuck.measure.labels.twins import NOTHING_LEFT, Twins
from unstuck.measure.reference import SIGNAL
from unstuck.measure.seen import gathered
from unstuck.measure.setup import Setup
from unstuck.measure.task import Task
from unstuck.rules.rule import Cleared, Example, Rule, Suspect

SURE = 1e-4
"""p-value of the better order, already multiplied by the number of orders tried. Stricter than 0.05, because a wrong
accusation sends people to look for a fault in their data that is not there."""
UNSURE = 0.05
"""p-value above which the recorded order carries no signal."""
HELD_SKILL = 0.3
"""Cross-validated skill of the held-out rows on themselves, well above what a permutation reaches with 40 rows."""
LESS = 0.15
"""Skill on the training rows over that on the held-out rows; with labels of their own more rows give more, not less.
Also of the recorded over the better order, where the recorded one seems to carry signal."""
MIN_SKILL = 0.1
"""Cross-validated R2 of the labels (as numbers) in the better order; less would not be worth a hunt."""

LEADS_TO = (
    "no-signal",
    "memorising",
    "model-too-small",
    "learning-rate-too-low",
    "too-few-updates",
    "unpaired-shuffles",
)


class MisalignedLabels(Rule):
    """The labels fit the inputs only in another order.

    What it finds
    Training labels that carry no signal in the recorded order, and clearly do when they are shifted by up to five rows,
    reversed, or taken as sorted by a column of the inputs; or that carry none in any order while the held-out labels
    do. Inputs and labels that were split in two calls of train_test_split with different seeds.

    Why training stops
    Each row is paired with the label of another. Nothing about the inputs predicts it, so the network can only learn
    the base rate or memorise.

    What you see
    A plateau at the entropy or variance of the labels; a training loss that falls only by memorising; validation at or
    below chance although the data are known to be good.

    How it is proven
    A linear learner is cross-validated on every candidate order, with p-values multiplied by their number. Where the
    held-out labels are in order, the network is trained with the labels put right. Rows that were split apart are
    followed by their fingerprints to the labels they had.

    When to ignore it
    In time series, where tomorrow's value may fit better than today's without being knowable; shifts are not tried when
    consecutive rows are alike.

    References
    keras-team/keras#7520; DrexelChatbotGroup/DrexelChatbot#15; Hoeffding 1951, A Combinatorial Central Limit Theorem.
    """

    code = "DAT108"
    severity = "error"
    sick = Example(
        """
y = np.roll(y, 1)
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile("adam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=12, validation_data=(x_val, y_val), verbose=0)
"""
    )
    healthy = Example(
        """
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile("adam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=12, validation_data=(x_val, y_val), verbose=0)
"""
    )

    def check(
        self,
        setup: Setup,
        data: Data,
        task: Task | None,
        pairing: Pairing | None,
        alignment: Alignment | None,
        twins: Twins | None,
        shuffles: Shuffles | None,
    ) -> Cleared | Suspect:
        if pairing is not None and pairing.apart:
            return _split_apart(setup, pairing, PairLabels.of(pairing, data, task) if task else None)
        if alignment is None:
            raise Missing(f"{MIN_ROWS} training rows or more, with one label each")
        best, recorded = alignment.best, alignment.recorded
        found = best is not None and best.p_value <= SURE and best.skill >= MIN_SKILL
        less = alignment.recorded_skill < LESS * alignment.held_skill
        # Of equal inputs with different labels every order says nothing: contradictory-labels has the word.
        possible = twins is None or not twins.ceiling <= NOTHING_LEFT
        if not found and less and possible and alignment.held_p < SIGNAL and alignment.held_skill > HELD_SKILL:
            return _mixed_up(setup, alignment, shuffles)
        if best is None:
            return Cleared("of a series, or a sample of the rows, other orders say nothing")
        signal = recorded.p_value < UNSURE or alignment.recorded_p < UNSURE
        if signal and not (found and recorded.skill < LESS * best.skill):  # one in twenty looks like signal by chance
            p = min(p for p in (recorded.p_value, alignment.recorded_p) if p == p)
            return Cleared(f"the labels fit the inputs as they are (p = {p:.2g})", p, UNSURE)
        if best.p_value > SURE or best.skill < MIN_SKILL:
            return Cleared(
                f"none of {alignment.tried} other orders fits better (p = {best.p_value:.2g})",
                best.p_value,
                SURE,
            )
        cure = RealignLabels(best.kind, best.amount)
        # A trial is scored on the held-out labels as they are: it can only tell when those are in order.
        testable = alignment.held_fits and data.held_kind != "holdout"
        return Suspect(
            message=f"the labels belong to other rows: they fit with the {cure.label}",
            confidence="likely",
            severity=None if testable else "warning",
            location=_labels_given(setup),
            evidence=gathered(
                Evidence(
                    measure="recorded-order-p-value",
                    value=recorded.p_value,
                    expected=UNSURE,
                    text=f"as recorded, a linear learner explains {max(0.0, recorded.skill):.0%} of "
                    f"{alignment.rows} labels (p = {recorded.p_value:.2g})",
                ),
                Evidence(
                    measure="better-order-p-value",
                    value=best.p_value,
                    expected=SURE,
                    text=f"{cure.label}: p = {best.p_value:.1g}, corrected for {alignment.tried} orders tried",
                ),
                Evidence(
                    measure="better-order-r2",
                    value=best.skill,
                    expected=recorded.skill,
                    text=f"then it explains {best.skill:.0%} of them",
                ),
                None
                if testable
                else Evidence(
                    measure="held-out-labels",
                    text="the held-out labels are out of order too, or nothing was held out:"
                    " training with the labels put right cannot be scored here",
                ),
            ),
            cures=(cure,) if testable else (),
            fix=None if testable else cure.edit(setup),
            # What is learnable was measured on the same wrong pairs, so having learnt it proves nothing.
            impairs=False,
            leads_to=LEADS_TO,
        )


def _labels_given(setup: Setup) -> Location | None:
    """The labels among the arguments of fit."""
    given = setup.sources.argument(setup.sites["fit"], "y", 1, label="in another order than the inputs")
    return given or setup.fit_location()


def _mixed_up(setup: Setup, alignment: Alignment, shuffles: Shuffles | None) -> Suspect:
    """No order is known in which they fit, so none can be tried; other settings of the network are."""
    alone = shuffles.alone if shuffles is not None else ()
    said = f": {alone[0].array} is shuffled alone" if alone else ""
    return Suspect(
        message="the training labels say nothing of their rows, and the held-out labels do: they are out of order"
        + said,
        location=alone[0].location if alone else _labels_given(setup),
        evidence=(
            Evidence(
                measure="training-skill-of-learners",
                value=alignment.recorded_skill,
                expected=alignment.held_skill,
                text=f"cross-validated on the training rows, learners reach a skill of {alignment.recorded_skill:.2f}",
            ),
            Evidence(
                measure="held-out-p-value",
                value=alignment.held_p,
                expected=SIGNAL,
                text=f"cross-validated on the held-out rows alone, they reach {alignment.held_skill:.2f} "
                f"(p = {alignment.held_p:.2g})",
            ),
        ),
        rivals=(ScaleLearningRate(10), ScaleLearningRate(100), Widen(factor=8, layers=2)),
        conclusion="other settings of this network do not learn from these labels either",
        fix=Fix(
            title="shuffle inputs and labels together, with the same permutation",
            applicability="sketch",
            alternative="compare a few training rows with their labels by eye",
        ),
        impairs=False,
        leads_to=LEADS_TO,
    )


def _split_apart(setup: Setup, pairing: Pairing, cure: PairLabels | None) -> Suspect:
    return Suspect(
        message=f"{pairing.apart} of {pairing.rows} training rows have the label of another row: inputs and labels were"
        " split apart",
        confidence="proven",
        location=setup.sources.location(pairing.y_site, "the labels, with another seed") or setup.fit_location(),
        related=(setup.sources.location(pairing.x_site, "the inputs"),),
        evidence=(
            Evidence(
                measure="rows-with-another-label",
                text=f"before the two splits {pairing.apart} of {pairing.rows} training rows had a different label",
                value=pairing.apart,
                of=pairing.rows,
            ),
        ),
        cures=(cure,) if cure else (),
        fix=None
        if cure
        else Fix(
            title="split inputs and labels in one call: train_test_split(x, y)",
            applicability="sketch",
            alternative="the same random_state in both calls",
        ),
        conclusion="the fingerprints of the rows lead to other labels than the ones they were trained with",
        leads_to=LEADS_TO,
    )
