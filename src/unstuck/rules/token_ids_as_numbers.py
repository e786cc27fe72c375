"""DAT208: numbers of words read as sizes."""

from __future__ import annotations

from unstuck.experiments.interventions.embed import Embed
from unstuck.finding import Evidence
from unstuck.measure.contract import PLAIN_HEADS
from unstuck.measure.network.entrance import RECURRENT, first_reader
from unstuck.measure.reference import Reference
from unstuck.measure.seen import gathered, loss_at_chance
from unstuck.measure.setup import Setup
from unstuck.measure.skill import Skill
from unstuck.measure.tokens import Tokens
from unstuck.rules.rule import Cleared, Example, NotApplicable, Rule, Suspect

MARGIN = 0.1
"""Held-out skill by which the network must stay behind learners that count the items, or behind all there is."""
SHAPES = frozenset({"InputLayer", "Flatten", "Reshape", "Dropout"})
"""Layers before the first weights that leave a number what it is."""


class TokenIdsAsNumbers(Rule):
    """Numbers that only name words or items go into a layer that takes them for sizes.

    What it finds
    Rows of whole numbers with the marks of numbered words (one vocabulary in all columns, neighbours unrelated, filled
    up with 0 or as unevenly used as words are) that a dense, convolutional or recurrent layer multiplies by weights.

    Why training stops
    Word 412 is not twice word 206. Sums of such numbers say next to nothing, so the network stays at the base rate, or
    learns its training rows by heart.

    What you see
    An accuracy near that of guessing on held-out rows, a loss that starts in the hundreds, while the same texts are
    easy for a count of words.

    How it is proven
    The same network is trained from the same seeds with an Embedding before that layer, beside a placebo.

    When to ignore it
    When the numbers are quantities after all: counts, or values rounded to whole numbers.

    References
    Bengio et al. 2003, A Neural Probabilistic Language Model; keras.io/api/layers/core_layers/embedding.
    """

    code = "DAT208"
    severity = "error"
    echo_of = ("missing-flatten", "everything-frozen", "softmax-on-one-unit")
    sick = Example(
        """
model = keras.Sequential([
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=10, validation_data=(x_val, y_val), verbose=0)
""",
        data="words",
    )
    healthy = Example(
        """
model = keras.Sequential([
    keras.layers.Embedding(41, 16, mask_zero=True),
    keras.layers.GlobalAveragePooling1D(),
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=10, validation_data=(x_val, y_val), verbose=0)
""",
        data="words",
    )

    def check(
        self, setup: Setup, tokens: Tokens, skill: Skill, reference: Reference | None
    ) -> Cleared | NotApplicable | Suspect:
        if not tokens.vocabulary:
            return NotApplicable("the inputs are not the numbers of items")
        first = first_reader(setup)
        if first is None or first.kind not in RECURRENT | PLAIN_HEADS:
            return NotApplicable("no Dense, convolution or recurrent layer is known to read the inputs")
        before = next((layer for layer in setup.layers[: first.index] if layer.kind not in SHAPES), None)
        if before is not None:
            return Cleared(f"{before.kind} comes before the first weights")
        within = reference.best if reference is not None else 1.0
        if skill.best >= within - MARGIN:
            return Cleared(f"the network reaches {skill.best:.2f}, counts of the items {within:.2f}")
        end = ", and 0 fills up the shorter rows" if tokens.padded else ""
        return Suspect(
            message="numbers that only name items are read as sizes",
            location=setup.layer_location(first, label="multiplies the numbers by weights"),
            related=(setup.sources.argument(setup.sites["fit"], "x", 0, label="numbers of items"),),
            evidence=gathered(
                Evidence(
                    measure="vocabulary",
                    text=f"rows of {tokens.steps} whole numbers below {tokens.vocabulary:,}, of one vocabulary in all "
                    f"columns; neighbours are unrelated{end}",
                    value=float(tokens.vocabulary),
                ),
                Evidence(
                    measure="skill",
                    text=f"skill {skill.best:.2f}; learners that count the items reach {within:.2f}",
                    value=skill.best,
                    expected=within,
                )
                if reference is not None
                else None,
                loss_at_chance(skill),
            ),
            cures=(
                Embed(
                    first.name,
                    tokens.vocabulary,
                    tokens.steps,
                    padded=tokens.padded,
                    sequence=first.kind != "Dense",
                ),
            ),
            leads_to=(
                "unscaled-inputs",
                "dying-relu",
                "saturated-activation",
                "learning-rate-too-high",
                "learning-rate-too-low",
                "too-few-updates",
                "model-too-small",
                "memorising",
                "momentum-oscillation",
                "diverging-loss",
                "no-signal",
            ),
        )
