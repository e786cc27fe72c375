"""Inputs and labels shuffled one by one."""

from __future__ import annotations

from unstuck.finding import Evidence, Fix
from unstuck.measure.case import Missing
from unstuck.measure.code.shuffles import Shuffles
from unstuck.measure.reference import Reference
from unstuck.measure.seen import gathered
from unstuck.measure.setup import Setup
from unstuck.measure.skill import Skill
from unstuck.rules.rule import Cleared, Example, NotApplicable, Rule, Suspect

CARRIES = 0.05
"""p-value of the recorded pairs below which the labels fit the inputs: then the shuffles did not separate them."""


class UnpairedShuffles(Rule):
    """Inputs and labels are put in random orders that have nothing to do with each other.

    What it finds
    Two shuffles in the source, one of the inputs and one of the labels (np.random.shuffle, permutation,
    DataFrame.sample, Dataset.shuffle, two generators), with no common seed, or a shuffle of one of them alone; and
    labels that carry no signal.

    Why training stops
    Each row is paired with the label of another, drawn at random. Nothing about the inputs predicts it.

    What you see
    A plateau at the entropy or variance of the labels; training loss falls only by memorising.

    How it is proven
    The calls are read from the source, with the arrays that go into fit, and the reference learners find no signal
    in the recorded pairs. The order cannot be recovered, so no trial can show the cure.

    When to ignore it
    When the two arrays are not the inputs and the labels of the same rows.

    References
    DrexelChatbotGroup/DrexelChatbot#15; numpy.random.Generator.permutation; tf.data.Dataset.shuffle.
    """

    code = "PIP103"
    severity = "error"
    echo_of = ("misaligned-labels", "constant-target", "blank-inputs")
    sick = Example(
        """
rng = np.random.default_rng(0)
x = rng.permutation(x)
y = rng.permutation(y)
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile("adam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=6, validation_split=0.2, verbose=0)
"""
    )
    healthy = Example(
        """
order = np.random.default_rng(0).permutation(len(x))
x, y = x[order], y[order]
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile("adam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=25, validation_split=0.2, verbose=0)
"""
    )

    def check(
        self, setup: Setup, shuffles: Shuffles, reference: Reference | None, skill: Skill | None
    ) -> Cleared | NotApplicable | Suspect:
        if not shuffles.pairs and not shuffles.alone:
            return Cleared("no array is shuffled on its own in the file that calls fit")
        if reference is None:
            raise Missing("rows that reference learners can read")
        if reference.p_value < CARRIES:
            return Cleared(f"the labels fit the inputs (p = {reference.p_value:.2g})", reference.p_value, CARRIES)
        fit = setup.sites["fit"]
        given = {setup.sources.text(setup.sources.argument(fit, name, i)) for i, name in enumerate(("x", "y"))}
        both = [pair for pair in shuffles.pairs if {shuffle.array for shuffle in pair} == given]
        if shuffles.pairs:
            first, second = (both or shuffles.pairs)[0]
            message = f"{first.array} and {second.array} are shuffled one by one, and nothing connects them any more"
            text = (
                f"{first.array} is shuffled in line {first.location.line} and {second.array} in line"
                f" {second.location.line}, without a common seed"
            )
        else:
            first = second = shuffles.alone[0]
            message = f"{first.array} is shuffled alone, and its rows belong to others now"
            text = f"{first.array} is shuffled in line {first.location.line}, and nothing that goes into fit with it is"
        sure = bool(both) or (not shuffles.pairs and first.array in given)
        return Suspect(
            message=message,
            # Of arrays that go into fit under these very names nothing else is possible.
            confidence="proven" if sure else "likely",
            severity=None if sure else "warning",
            location=second.location,
            related=(first.location,) if first is not second else (),
            evidence=gathered(
                Evidence(measure="separate-shuffles", text=text, value=1 if first is second else 2),
                Evidence(
                    measure="permutation-p-value",
                    value=reference.p_value,
                    expected=CARRIES,
                    text=f"over {reference.rows} rows shuffled labels fit as well (p = {reference.p_value:.2f})",
                ),
            ),
            fix=Fix(
                title=f"draw one order and use it for both: order = rng.permutation(len({first.array}))",
                applicability="sketch",
                alternative="give both calls the same seed"
                if shuffles.pairs
                else "leave it to fit, which shuffles both",
            ),
            conclusion="orders drawn one by one pair the rows at random" if sure else "",
            impairs=False,
            leads_to=("no-signal", "memorising", "model-too-small", "learning-rate-too-low", "too-few-updates"),
        )
