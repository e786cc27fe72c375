"""A vocabulary that is learnt anew for the validation texts."""

from __future__ import annotations

import numpy as np

from unstuck.finding import Evidence, Fix
from unstuck.measure.code.vocabularies import Vocabularies
from unstuck.measure.data import Data
from unstuck.measure.seen import gathered
from unstuck.measure.setup import Setup
from unstuck.measure.skill import Skill
from unstuck.rules.rule import Cleared, Example, NotApplicable, Rule, Suspect

GAP = 0.3
"""Training skill less held-out skill from which validation may speak another language; overfitting alone can do that,
so nothing is said without two fits of a vocabulary in the source."""


class VocabularyRefit(Rule):
    """Training and validation texts are numbered by vocabularies of their own.

    What it finds
    A tokenizer or TextVectorization that is fitted twice, on different texts, in a program whose network reads token
    numbers and fails on the held-out ones.

    Why training stops
    It does not: the score does. A vocabulary numbers words by how frequent they are. Fitted again on other texts it
    gives the same word another number, and the network reads nonsense.

    What you see
    A training score that is high, a validation score at chance, as in overfitting.

    How it is proven
    The calls are read from the source. Texts are not recorded, so no trial can number them anew.

    When to ignore it
    When the second vocabulary belongs to another input. Word numbers from hash(), which change with every start of
    Python, and padding on the other side are not looked for.

    References
    keras.io/api/layers/preprocessing_layers/text/text_vectorization (adapt); keras-team/keras#10780.
    """

    code = "PIP110"
    severity = "warning"
    sick = Example(
        """
class Tokenizer:
    def fit_on_texts(self, texts):
        words, counts = np.unique(" ".join(texts).split(), return_counts=True)
        self.number = {word: i for i, word in enumerate(words[np.argsort(-counts, kind="stable")])}

    def texts_to_array(self, texts):
        return np.array([[self.number.get(word, 0) for word in text.split()] for text in texts])


rng = np.random.default_rng(0)
good, bad = [f"good{i}" for i in range(20)], [f"bad{i}" for i in range(20)]
y = rng.integers(0, 2, 600)
texts = [" ".join(rng.choice(good if label else bad, 8)) for label in y]
tokenizer = Tokenizer()
tokenizer.fit_on_texts(texts[:400])
x = tokenizer.texts_to_array(texts[:400])
tokenizer.fit_on_texts(texts[400:])
x_val = tokenizer.texts_to_array(texts[400:])
model = keras.Sequential([
    keras.layers.Embedding(64, 8),
    keras.layers.GlobalAveragePooling1D(),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y[:400], epochs=10, validation_data=(x_val, y[400:]), verbose=0)
"""
    )
    healthy = Example(
        """
class Tokenizer:
    def fit_on_texts(self, texts):
        words, counts = np.unique(" ".join(texts).split(), return_counts=True)
        self.number = {word: i for i, word in enumerate(words[np.argsort(-counts, kind="stable")])}

    def texts_to_array(self, texts):
        return np.array([[self.number.get(word, 0) for word in text.split()] for text in texts])


rng = np.random.default_rng(0)
good, bad = [f"good{i}" for i in range(20)], [f"bad{i}" for i in range(20)]
y = rng.integers(0, 2, 600)
texts = [" ".join(rng.choice(good if label else bad, 8)) for label in y]
tokenizer = Tokenizer()
tokenizer.fit_on_texts(texts[:400])
x, x_val = tokenizer.texts_to_array(texts[:400]), tokenizer.texts_to_array(texts[400:])
model = keras.Sequential([
    keras.layers.Embedding(64, 8),
    keras.layers.GlobalAveragePooling1D(),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y[:400], epochs=10, validation_data=(x_val, y[400:]), verbose=0)
"""
    )

    def check(
        self, setup: Setup, data: Data, vocabularies: Vocabularies, skill: Skill
    ) -> Cleared | NotApplicable | Suspect:
        if not any(layer.kind == "Embedding" for layer in setup.layers):
            return NotApplicable("the network reads no token numbers")
        if not vocabularies.refits:
            return Cleared("no vocabulary is fitted twice in the file that calls fit")
        gap = skill.train - skill.held
        if not gap >= GAP:
            return Cleared(
                f"held-out skill {skill.held:.2f} is not far below training skill {skill.train:.2f}", gap, GAP
            )
        first, second = vocabularies.refits[0]
        return Suspect(
            message=f"the vocabulary is fitted twice: on {first.texts} and again on {second.texts}",
            location=second.location,
            related=(first.location,),
            evidence=gathered(
                Evidence(
                    measure="vocabulary-fits",
                    text=f"fitted on {first.texts} in line {first.location.line}, on {second.texts} in line"
                    f" {second.location.line}",
                    value=2,
                ),
                Evidence(
                    measure="held-out-skill",
                    text=f"training skill is {skill.train:.2f}, held-out skill {skill.held:.2f}",
                    value=skill.held,
                    expected=skill.train,
                ),
                _unseen(data),
            ),
            fix=Fix(
                title=f"fit the vocabulary on {first.texts} only, and use it for both",
                applicability="sketch",
            ),
            impairs=False,
            leads_to=("memorising", "no-signal", "learning-rate-too-high"),
        )


def _unseen(data: Data) -> Evidence | None:
    """Numbers that only the held-out part has."""
    known = np.unique(data.x[0])
    share = float((~np.isin(data.held_x[0], known)).mean())
    return Evidence(measure="unseen-tokens", text=f"{share:.1%} of the held-out token numbers are new", value=share)
