"""CAP201: a penalty that matters more than the data."""

from __future__ import annotations

from unstuck.experiments.interventions.learning_rate import ScaleLearningRate
from unstuck.experiments.interventions.penalty import RemovePenalty, regularizers
from unstuck.finding import Evidence
from unstuck.measure.replay import Moment, Replay
from unstuck.measure.setup import Setup
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect

SHARE = 0.5
"""Share of the penalty in the total loss at some snapshot; from here on weights are moved more for their size than for
the rows. Keras's own default l2=0.01 is near it for small networks and usually does no harm: the trial decides."""
TOLD = 0.2
"""Share of the penalty in the loss at the end from which the loss that is read is not the error; a note."""
SHRUNK = 0.1
"""Size of a kernel at the end over its size at the start: the penalty has won (l2=1 left 0.003 in the sick example)."""


class WeightPenaltyTooStrong(Rule):
    """
    What it finds:
    L1 or L2 penalties on weights that make up most of the loss, or that shrink kernels to a tenth of their size or
    less.

    Why training stops:
    Keras adds the penalty to the loss. When it outweighs the data, the cheapest network is one with tiny weights: it
    gives every row the same answer, and the data loss rises to the constant answer's value.

    What you see:
    A loss that is much higher than the error, or that falls only because the penalty does; predictions close together.
    With l2=1 the loss ends at the entropy of the labels.

    How it is proven:
    The recorded loss is split into data and penalty at several steps. Then the penalty is removed, from the same seeds.

    When to ignore it:
    When the network scores as well as other learners.

    References:
    Krogh and Hertz 1992, "A Simple Weight Decay Can Improve Generalization"; keras/src/regularizers/regularizers.py;
    keras-team/keras issues 1895, 9296.
    """

    code = "CAP201"
    severity = "error"
    echo_of = ("activity-penalty-too-strong",)
    sick = Example(
        """
penalty = keras.regularizers.L2(1.0)
model = keras.Sequential([
    keras.layers.Dense(32, activation="relu", kernel_regularizer=penalty),
    keras.layers.Dense(3, activation="softmax", kernel_regularizer=penalty),
])
model.compile(keras.optimizers.Adam(0.01), loss="sparse_categorical_crossentropy")
model.fit(x, y, validation_data=(x_val, y_val), epochs=30, verbose=0)
""",
        data="three-classes",
    )
    healthy = Example(
        """
penalty = keras.regularizers.L2(1e-4)
model = keras.Sequential([
    keras.layers.Dense(32, activation="relu", kernel_regularizer=penalty),
    keras.layers.Dense(3, activation="softmax", kernel_regularizer=penalty),
])
model.compile(keras.optimizers.Adam(0.01), loss="sparse_categorical_crossentropy")
model.fit(x, y, validation_data=(x_val, y_val), epochs=30, verbose=0)
""",
        data="three-classes",
    )

    def check(self, setup: Setup, replay: Replay) -> Judgement:
        penalised = [layer for layer in setup.layers if regularizers(layer.config)]
        if not penalised:
            return NotApplicable("no layer has a regulariser of its weights")
        moment = max(replay.moments, key=lambda m: _share(m.loss, m.penalty))
        share = _share(moment.loss, moment.penalty)
        shrunk = min(replay.kernel_ratios(layer.name for layer in penalised), default=1.0)
        if share < SHARE and shrunk > SHRUNK:
            return Cleared(f"the penalty is at most {share:.0%} of the loss", share, SHARE)
        evidence = []
        if share >= SHARE:
            evidence.append(
                Evidence(
                    measure="penalty-share",
                    value=share,
                    expected=SHARE,
                    text=f"at step {moment.step} the penalty is {moment.penalty:.3g} beside an error of "
                    f"{moment.loss:.3g}: {share:.0%} of the loss",
                )
            )
        if shrunk <= SHRUNK:
            evidence.append(
                Evidence(
                    measure="kernel-end-over-start",
                    value=shrunk,
                    expected=SHRUNK,
                    text=f"a penalised kernel shrank to {shrunk:.1%} of its initial size",
                )
            )
        first = penalised[0]
        return Suspect(
            message="the weight penalty outweighs the data"
            + (f" in {len(penalised)} layers" if len(penalised) > 1 else ""),
            location=setup.layer_location(first, regularizers(first.config)[0], None, "penalty"),
            related=tuple(
                setup.layer_location(one, regularizers(one.config)[0], None, "penalty") for one in penalised[1:]
            ),
            evidence=tuple(evidence),
            cures=(RemovePenalty(),),
            rivals=(ScaleLearningRate(0.1), ScaleLearningRate(10)),
            harmless=_told(replay.last),
            leads_to=("dying-relu", "dead-relu-output", "vanishing-gradient"),
        )


def _told(end: Moment) -> str:
    """What a person who reads the loss should know, if the penalty is much of it at the end."""
    share = _share(end.loss, end.penalty)
    return f"{share:.0%} of the loss is the weight penalty, {end.loss:.3g} is the error" if share >= TOLD else ""


def _share(loss: float, penalty: float) -> float:
    total = abs(loss) + penalty
    return penalty / total if total > 0 else 0.0
