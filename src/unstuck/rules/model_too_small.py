"""CAP101: a network that cannot draw what the data show, however long it trains."""

from __future__ import annotations

import numpy as np

from unstuck.experiments.intervention import Together
from unstuck.experiments.interventions.epochs import ScaleEpochs
from unstuck.experiments.interventions.learning_rate import ScaleLearningRate
from unstuck.experiments.interventions.widen import Widen
from unstuck.finding import Confidence, Evidence, Location
from unstuck.measure.data import Data
from unstuck.measure.reference import Reference
from unstuck.measure.setup import AFFINE, Layer, Setup
from unstuck.measure.skill import Skill
from unstuck.measure.training.curve import STILL_FALLING, Curve
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect

MARGIN = 0.05
"""Gap in skill that is worth a word; the same as `measure.room.MARGIN`."""
NARROW = 16
"""Units of the widest hidden layer below which width may be the limit. Sixteen ReLU units draw sixteen kinks."""
BOTTLENECK = 2
"""A hidden layer of so few units passes one or two numbers a row."""
UNDERFIT = 0.1
"""Skill that the training rows must lack too, and the most that training may be ahead of held-out rows: a network that
fits its training rows is not too small."""


class ModelTooSmall(Rule):
    """
    What it finds:
    A network that is a straight line by construction where the data bend, or one whose hidden layers are so narrow that
    it cannot even fit its training rows.

    Why training stops:
    Training finds the best network of the given shape. When the shape cannot follow the data, the loss ends at the best
    this shape can do, which may be far from what the data allow.

    What you see:
    Training and validation loss end together on a plateau well above what other learners reach. It is not near zero.

    How it is proven:
    A linear model and boosted trees are fitted to the same rows: the first is the ceiling of a network without hidden
    layers, the second shows what can be learnt. Then the network gets more units and layers, from the same seeds.
    Larger rates and more epochs are tried beside it: where one of them does as well, the network is not too small.

    When to ignore it:
    When a simple model is wanted, and its score is enough.

    References:
    Goodfellow, Bengio, Courville 2016, "Deep Learning", section 5.2; Zhang et al. 2017, "Understanding deep learning
    requires rethinking generalization"; keras-team/keras issue 1013.
    """

    code = "CAP101"
    severity = "error"
    echo_of = ("no-nonlinearity", "dying-relu", "zero-initialised-kernel", "everything-frozen")
    sick = Example(
        """
a, b = np.median(x[:, 0]), np.median(x[:, 1])
y, y_val = ((x[:, 0] > a) != (x[:, 1] > b)), ((x_val[:, 0] > a) != (x_val[:, 1] > b))
x, x_val = x[:, :2], x_val[:, :2]
model = keras.Sequential([keras.layers.Dense(1, activation="sigmoid")])
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy")
model.fit(x, y.astype("float32"), validation_data=(x_val, y_val.astype("float32")), epochs=30, verbose=0)
""",
        data="noise",
    )
    healthy = Example(
        """
a, b = np.median(x[:, 0]), np.median(x[:, 1])
y, y_val = ((x[:, 0] > a) != (x[:, 1] > b)), ((x_val[:, 0] > a) != (x_val[:, 1] > b))
x, x_val = x[:, :2], x_val[:, :2]
model = keras.Sequential([keras.layers.Dense(64, activation="relu"), keras.layers.Dense(1, activation="sigmoid")])
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy")
model.fit(x, y.astype("float32"), validation_data=(x_val, y_val.astype("float32")), epochs=30, verbose=0)
""",
        data="noise",
    )

    def check(
        self, setup: Setup, data: Data | None, skill: Skill, reference: Reference, curve: Curve | None
    ) -> Judgement:
        if data is not None and data.restores_inputs:
            return NotApplicable("the network rebuilds its input, and is narrow so that it cannot copy it")
        if curve is not None and curve.non_finite_step is not None:
            return NotApplicable("the loss is not a number, so the score says nothing about size")
        if reference.low < MARGIN:
            return Cleared(
                f"other learners do no better than chance for sure ({reference.best:.2f})", reference.low, MARGIN
            )
        lacking = reference.best - max(skill.best, skill.train)
        if lacking < MARGIN:
            return Cleared(
                f"the network reaches {skill.train:.2f}, other learners {reference.best:.2f}", lacking, MARGIN
            )
        if _straight(setup):
            return self._line(setup, skill, reference)
        return self._narrow(setup, skill, reference, curve)

    def _line(self, setup: Setup, skill: Skill, reference: Reference) -> Judgement:
        bend = reference.best - reference.linear
        if bend < MARGIN:
            return Cleared(
                f"a straight line is enough here: linear {reference.linear:.2f}, trees {reference.best:.2f}",
                bend,
                MARGIN,
            )
        what = "has no hidden layer" if not setup.hidden else "has only linear layers"
        return self._suspect(
            f"the model {what}, so it is a straight line; the data bend",
            skill,
            reference,
            setup.layer_location(setup.head.layer, "", None, "a weighted sum"),
            Evidence(
                measure="linear-skill",
                value=reference.linear,
                expected=reference.best,
                text=f"the best straight line reaches a skill of {reference.linear:.2f}; "
                f"boosted trees {reference.best:.2f}",
            ),
            Widen(factor=8 if setup.hidden else 1, layers=2),
        )

    def _narrow(self, setup: Setup, skill: Skill, reference: Reference, curve: Curve | None) -> Judgement:
        hidden = [layer for layer in setup.hidden if layer.units]
        if not hidden:
            return NotApplicable("the hidden layers have no units to count")
        widest, narrowest = max(hidden, key=_units), min(hidden, key=_units)
        small = narrowest if _units(narrowest) <= BOTTLENECK else widest
        if small is widest and _units(widest) >= NARROW:
            return Cleared(f"the widest hidden layer has {_units(widest)} units", _units(widest), NARROW)
        ahead = skill.train - skill.held
        if np.isfinite(ahead) and ahead > UNDERFIT:
            return Cleared(
                f"training rows score {ahead:.2f} above held-out rows: it fits, so it is not too small", ahead, UNDERFIT
            )
        falling = curve is not None and curve.falling > STILL_FALLING
        role = "narrowest" if small is narrowest and small is not widest else "widest"
        return self._suspect(
            f"the {role} hidden layer has {_counted(_units(small), 'unit')}, too few for these data",
            skill,
            reference,
            setup.layer_location(small, "units" if small.kind == "Dense" else "filters", 0, "narrow"),
            Evidence(
                measure="units",
                value=_units(small),
                expected=NARROW,
                text=f"the {role} hidden layer passes on {_units(small)} numbers a row",
            ),
            Widen(factor=8, layers=2),
            confidence="possible" if falling else "likely",
        )

    def _suspect(
        self,
        message: str,
        skill: Skill,
        reference: Reference,
        location: Location | None,
        seen: Evidence,
        wider: Widen,
        confidence: Confidence = "likely",
    ) -> Suspect:
        both = Evidence(
            measure="train-skill",
            value=skill.train,
            expected=reference.best,
            text=f"the network reaches {skill.train:.2f} on its own training rows"
            + (f" and {skill.held:.2f} on held-out rows" if np.isfinite(skill.held) else ""),
        )
        return Suspect(
            message=message,
            confidence=confidence,
            location=location,
            evidence=(seen, both),
            cures=(wider, Together((wider, ScaleLearningRate(10)))),
            rivals=(ScaleLearningRate(10), ScaleLearningRate(100), ScaleEpochs(4)),
            cannot=True,
        )


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _units(layer: Layer) -> int:
    return layer.units or 0


def _straight(setup: Setup) -> bool:
    """Whether everything before the output's own activation is affine, so that the answer is a function of a line."""
    before = [layer for layer in setup.layers if layer.index < setup.head.layer.index]
    return setup.head.layer.kind in AFFINE and all(
        layer.builtin and layer.kind in AFFINE and layer.activation == "linear" for layer in before
    )
