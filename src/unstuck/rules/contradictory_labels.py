"""Equal inputs with different labels."""

from __future__ import annotations

import numpy as np

from unstuck.experiments.interventions.rows import DropRows
from unstuck.finding import Evidence
from unstuck.measure.contract import Contract
from unstuck.measure.data import Data
from unstuck.measure.labels.twins import NOTHING_LEFT, Twins
from unstuck.measure.seen import gathered
from unstuck.measure.setup import Setup
from unstuck.measure.skill import Skill
from unstuck.rules.rule import Cleared, Example, NotApplicable, Rule, Suspect

MANY = 0.1
"""Share of rows that contradict another from which they are worth a trial; natural duplicates are fewer."""


class ContradictoryLabels(Rule):
    """Rows with equal inputs have different labels.

    What it finds
    Training rows whose inputs equal another row's while the label is another: rows labelled twice, a join that
    multiplied them, columns that were dropped and had told them apart.

    Why training stops
    A network answers equal inputs equally, so it is wrong on some of these rows whatever it learns. The loss has a
    floor above 0, and what these rows pull for cancels.

    What you see
    A training loss that stops well above 0, also for a large network without regularisation.

    How it is proven
    Answering the mean label of each distinct input is the best any network can do on these rows. Where that is no
    better than one answer for all, it is settled. Else the same network is trained with other rows in their place.

    When to ignore it
    When the inputs are few categories and the label is a matter of chance: then the floor is the answer.

    References
    Northcutt et al. 2021, Pervasive Label Errors in Test Sets; Cover & Thomas 2006, Elements of Information Theory,
    2.2 (conditional entropy).
    """

    code = "DAT110"
    severity = "error"
    echo_of = ("blank-inputs", "integer-dtype-accident", "empty-batches", "constant-target")
    sick = Example(
        """
x, y = np.concatenate([x, x]), np.concatenate([y, 1 - y])
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile("adam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=10, validation_data=(x_val, y_val), verbose=0)
"""
    )
    healthy = Example(
        """
x, y = np.concatenate([x, x]), np.concatenate([y, y])
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile("adam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=20, validation_data=(x_val, y_val), verbose=0)
"""
    )

    def check(
        self, setup: Setup, contract: Contract, data: Data, twins: Twins, skill: Skill | None
    ) -> Cleared | NotApplicable | Suspect:
        if not contract.single or setup.custom_train_step or contract.own_loss:
            return NotApplicable("the labels and the output cannot be paired")
        share = float(twins.conflicting.mean())
        if share < MANY:
            return Cleared(f"{share:.1%} of the rows contradict another", share, MANY)
        hopeless = twins.ceiling <= NOTHING_LEFT
        rows = np.flatnonzero(twins.conflicting[data.fit_rows])
        cure = DropRows("contradictory rows", tuple(rows.tolist()))
        return Suspect(
            message=f"{share:.0%} of the training rows have the inputs of another row and a different label",
            confidence="proven" if hopeless else "likely",
            location=setup.sources.argument(setup.sites["fit"], "y", 1, label="contradict each other")
            or setup.fit_location(),
            evidence=gathered(
                Evidence(
                    measure="contradictory-rows",
                    text=f"{int(twins.conflicting.sum())} of {len(twins.conflicting)} rows; {twins.distinct} inputs are"
                    " different",
                    value=int(twins.conflicting.sum()),
                    of=len(twins.conflicting),
                ),
                Evidence(
                    measure="determined-share",
                    text=f"the inputs determine {twins.ceiling:.0%} of what the training labels vary by",
                    value=twins.ceiling,
                    expected=1.0,
                ),
                _reached(skill),
            ),
            cures=(cure,) if len(rows) < len(data.fit_rows) else (),
            fix=cure.edit(setup),
            conclusion=f"equal inputs get equal answers, and the inputs determine {twins.ceiling:.0%} of these labels"
            if hopeless
            else "",
            leads_to=("no-signal", "memorising", "model-too-small", "learning-rate-too-low", "too-few-updates"),
        )


def _reached(skill: Skill | None) -> Evidence | None:
    if skill is None or not np.isfinite(skill.train):
        return None
    return Evidence(
        measure="train-skill", text=f"the network has a training skill of {skill.train:.2f}", value=skill.train
    )
