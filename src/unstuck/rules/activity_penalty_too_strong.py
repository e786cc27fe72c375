"""CAP204: a penalty on what a layer puts out that leaves it nothing to say."""

from __future__ import annotations

from unstuck.experiments.interventions.learning_rate import ScaleLearningRate
from unstuck.experiments.interventions.penalty import RemovePenalty, regularizers
from unstuck.finding import Evidence
from unstuck.measure.replay import Replay
from unstuck.measure.seen import gathered
from unstuck.measure.setup import Layer, Setup
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect

SHARE = 0.5
"""Share of the penalty in the loss at some snapshot (as in weight-penalty-too-strong)."""
SILENT = 0.05
"""Spread of the penalised outputs at the end over their spread at the start: the codes are empty."""


class ActivityPenaltyTooStrong(Rule):
    """
    What it finds:
    A penalty on the outputs of a layer that makes up most of the loss, or that has silenced the layer.

    Why training stops:
    The cheapest way to small outputs is to put out nothing. Then nothing of a row reaches the layers behind, and they
    give the mean of the targets. The penalty is a sum over units and a mean over rows, so it grows with the width.

    What you see:
    Codes near zero, reconstructions that are all the mean, a loss that stands at the constant answer's value.

    How it is proven:
    The recorded loss is split into data and penalty, the spread of the layer's outputs is measured at start and end.
    Then the penalty is removed, from the same seeds.

    When to ignore it:
    When sparse codes are wanted and the score is good enough.

    References:
    keras/src/layers/layer.py (activity_regularizer); keras-team/keras issue 5414; greenelab/tybalt pull request 58.
    """

    code = "CAP204"
    severity = "error"
    sick = Example(
        """
model = keras.Sequential([
    keras.Input((13,)),
    keras.layers.Dense(32, activation="relu", activity_regularizer=keras.regularizers.L1(1.0)),
    keras.layers.Dense(3, activation="softmax"),
])
model.compile(keras.optimizers.Adam(0.01), loss="sparse_categorical_crossentropy")
model.fit(x, y, validation_data=(x_val, y_val), epochs=30, verbose=0)
""",
        data="three-classes",
    )
    healthy = Example(
        """
model = keras.Sequential([
    keras.Input((13,)),
    keras.layers.Dense(32, activation="relu", activity_regularizer=keras.regularizers.L1(1e-5)),
    keras.layers.Dense(3, activation="softmax"),
])
model.compile(keras.optimizers.Adam(0.01), loss="sparse_categorical_crossentropy")
model.fit(x, y, validation_data=(x_val, y_val), epochs=30, verbose=0)
""",
        data="three-classes",
    )

    def check(self, setup: Setup, replay: Replay) -> Judgement:
        penalised = [one for one in setup.layers if _argument(one)]
        if not penalised:
            return NotApplicable("no layer has a penalty on its outputs")
        moment = max(replay.moments, key=lambda m: _share(m.loss, m.penalty))
        share, spread = _share(moment.loss, moment.penalty), _spread(replay, penalised)
        if share < SHARE and spread > SILENT:
            return Cleared(f"the penalty is at most {share:.0%} of the loss", share, SHARE)
        first = penalised[0]
        return Suspect(
            message=f"the penalty on the outputs of '{first.name}' outweighs the data",
            location=setup.layer_location(first, _argument(first), None, "penalty"),
            related=tuple(setup.layer_location(one, _argument(one), None, "penalty") for one in penalised[1:]),
            evidence=gathered(
                Evidence(
                    measure="penalty-share",
                    value=share,
                    expected=SHARE,
                    text=f"at step {moment.step} the penalty is {moment.penalty:.3g} beside an error of "
                    f"{moment.loss:.3g}: {share:.0%} of the loss",
                ),
                Evidence(
                    measure="output-spread-end-over-start",
                    value=spread,
                    expected=SILENT,
                    text=f"the outputs of a penalised layer vary {spread:.2g} times as much at the end as at the start",
                )
                if spread <= SILENT
                else None,
            ),
            cures=(RemovePenalty(of="activity"),),
            rivals=(ScaleLearningRate(0.1), ScaleLearningRate(10)),
            leads_to=(
                "dying-relu",
                "dead-relu-output",
                "vanishing-gradient",
                "learning-rate-too-low",
                "learning-rate-too-high",
            ),
        )


def _argument(layer: Layer) -> str:
    """The argument that holds the penalty, "" when there is none."""
    if layer.kind == "ActivityRegularization":
        return "l1" if layer.config.get("l1") else "l2" if layer.config.get("l2") else ""
    return next(iter(regularizers(layer.config, "activity")), "")


def _share(loss: float, penalty: float) -> float:
    total = abs(loss) + penalty
    return penalty / total if total > 0 else 0.0


def _spread(replay: Replay, penalised: list[Layer]) -> float:
    """Smallest ratio of final to initial spread over the outputs of the penalised layers; 1 when not replayed."""
    pairs = [(replay.layer(one.name, first=True), replay.layer(one.name)) for one in penalised]
    return min((end.std / start.std for start, end in pairs if start and end and start.std > 0), default=1.0)
