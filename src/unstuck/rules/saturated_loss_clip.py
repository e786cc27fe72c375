"""NUM106: every answer certain, many of them wrong, and a loss that is nothing but Keras's clip."""

from __future__ import annotations

import numpy as np

from unstuck.experiments.interventions.head import ReplaceHead
from unstuck.finding import Evidence
from unstuck.measure.replay import Replay
from unstuck.measure.seen import gathered
from unstuck.measure.setup import BINARY, CATEGORICAL, SPARSE, Setup
from unstuck.measure.skill import Skill, reading_activation
from unstuck.measure.task import CLIP, Task
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect

CERTAIN = 0.99
"""Share of the rows whose answer is at the clip, 1e-7 away from 0 or 1 or beyond."""
WRONG = 0.1
"""Share of the rows that must be certain and wrong. A network that has learnt everything is certain too."""


class SaturatedLossClip(Rule):
    """
    What it finds:
    A cross-entropy whose every answer lies at 0 or 1, many of them on the wrong side.

    Why training stops:
    Keras clips probabilities to 1e-7 before the logarithm. Beyond the clip the slope is exactly 0, so an answer that
    is certain and wrong gets no gradient, and nothing brings it back. Each costs -ln(1e-7) = 16.12, in float32 15.94
    on the upper side.

    What you see:
    A loss that is 15.94 times the share of wrong answers, to several digits: 4.438 beside an accuracy of 0.7216; 7.7
    to 8 on balanced classes. Both stand still.

    How it is proven:
    From the outputs of the final weights on training rows. Then the output becomes logits, whose loss needs no clip,
    from the same seeds.

    When to ignore it:
    When it is named as the consequence of a rate or a scale, mend that.

    References:
    keras/src/backend/common: epsilon; keras-team/keras issue 4784; tensorflow/tensorflow issue 41595.
    """

    code = "NUM106"
    severity = "error"
    echo_of = (
        "learning-rate-too-high",
        "missing-output-activation",
        "softmax-on-one-unit",
        "relu-on-class-output",
        "bounded-output",
        "unscaled-inputs",
        "oversized-initialisation",
        "binary-loss-on-one-hot",
        "labels-wrongly-encoded",
    )
    sick = Example(
        """
model = keras.Sequential([
    keras.Input((30,)),
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="hard_sigmoid", bias_initializer=keras.initializers.Constant(15.0)),
])
model.compile(keras.optimizers.Adam(0.03), loss="binary_crossentropy")
model.fit(x, y.reshape(-1, 1), validation_data=(x_val, y_val.reshape(-1, 1)), epochs=40, verbose=0)
"""
    )
    healthy = Example(
        """
model = keras.Sequential([
    keras.Input((30,)),
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.Adam(0.03), loss="binary_crossentropy")
model.fit(x, y.reshape(-1, 1), validation_data=(x_val, y_val.reshape(-1, 1)), epochs=40, verbose=0)
"""
    )

    def check(self, setup: Setup, replay: Replay, skill: Skill, task: Task) -> Judgement:
        if setup.loss.name not in BINARY | CATEGORICAL | SPARSE or not task.is_classes:
            return NotApplicable("the loss is no cross-entropy of classes")
        if setup.loss.from_logits:
            return NotApplicable("the loss takes logits and clips nothing")
        answers = task.read(replay.train_outputs, reading_activation(setup))
        n = min(len(answers), len(task.y))
        if answers.shape[1] != task.classes or not n or not np.isfinite(answers).all():
            return NotApplicable("outputs and classes do not match, or outputs are not finite")
        truth = answers[np.arange(n), task.y[:n]]
        wrong, right = float((truth <= CLIP).mean()), float((truth >= 1 - CLIP).mean())
        if wrong + right < CERTAIN or wrong < WRONG:
            return Cleared(f"{wrong:.0%} of the rows are answered with certainty and wrongly", wrong, WRONG)
        binary = setup.loss.name in BINARY
        cure = ReplaceHead("linear", setup.loss.name, from_logits=True)
        return Suspect(
            message=f"every answer is pinned to 0 or 1 and {wrong:.0%} are wrong: the loss is Keras's clip",
            location=setup.layer_location(setup.head.activation_layer, "activation", 1, "pinned"),
            evidence=gathered(
                Evidence(
                    measure="certain-and-wrong",
                    value=wrong,
                    expected=WRONG,
                    text=f"{wrong:.0%} of the rows have a probability of {CLIP:g} or less for their own label, "
                    f"{right:.0%} have 1",
                ),
                _constant(skill, wrong),
            ),
            cures=(cure,) if binary or setup.head.units == task.classes else (),
            leads_to=("learning-rate-too-low", "too-few-updates"),
        )


def _constant(skill: Skill, wrong: float) -> Evidence | None:
    ratio = skill.evaluated_loss / wrong
    if not np.isfinite(ratio):
        return None
    return Evidence(
        measure="loss-over-wrong-share",
        value=ratio,
        expected=float(-np.log(CLIP)),
        text=f"the loss of {skill.evaluated_loss:.4g} is {ratio:.2f} times the share of these rows; one of them costs "
        "15.9 to 16.1",
    )
