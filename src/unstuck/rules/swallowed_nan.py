"""NUM105: weights that are NaN behind a loss that is not."""

from __future__ import annotations

from unstuck.experiments.interventions.impute import ImputeInputs
from unstuck.finding import Evidence, Fix
from unstuck.measure.data import Data
from unstuck.measure.replay import Replay
from unstuck.measure.seen import gathered, loss_at_chance
from unstuck.measure.setup import Setup
from unstuck.measure.skill import Skill
from unstuck.measure.training.curve import Curve
from unstuck.rules.rule import Cleared, Example, Judgement, Rule, Suspect


class SwallowedNan(Rule):
    """
    What it finds:
    Weights that are not numbers at the end of a fit whose printed loss was finite to the last step.

    Why training stops:
    NaN plus any update is NaN, so such a weight is lost for good. What turns NaN into 0 on the way forward, a
    `nan_to_num`, or TensorFlow's ReLU on some CPUs (with AVX-512; not with AVX2 alone), silences the units of these
    weights: the loss stays finite, and nothing is left but the output's bias.

    What you see:
    A plateau at the variance of the targets, or the entropy of the labels. No NaN anywhere.

    How it is proven:
    By looking at the weights of the last snapshot. It is a consequence: of NaN in the data, or of an operation that is
    undefined; when one of these is found, this is listed under it.

    When to ignore it:
    Never: the weights are lost.

    References:
    keras-team/keras issues 6447, 2134; tensorflow/tensorflow, max(NaN, 0) in Eigen's relu kernel.
    """

    code = "NUM105"
    severity = "error"
    echo_of = ("non-finite-inputs", "non-finite-targets", "undefined-operation", "constant-feature-standardised")
    sick = Example(
        """
x = x.copy()
x[::40, 3] = np.nan
model = keras.Sequential([
    keras.Input((30,)),
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Lambda(keras.ops.nan_to_num),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile("adam", loss="binary_crossentropy")
model.fit(x, y, validation_data=(x_val, y_val), epochs=4, verbose=0)
"""
    )
    healthy = Example(
        """
model = keras.Sequential([
    keras.Input((30,)),
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile("adam", loss="binary_crossentropy")
model.fit(x, y, validation_data=(x_val, y_val), epochs=20, verbose=0)
"""
    )

    def check(self, setup: Setup, curve: Curve, replay: Replay, skill: Skill | None, data: Data | None) -> Judgement:
        lost = [v for v in replay.last.variables if not v.finite]
        if not lost:
            return Cleared("all weights are finite numbers", 0, 0)
        if curve.non_finite_step is not None:
            return Cleared("the loss shows it: it is not a number itself", curve.non_finite_step)
        step = next(m.step for m in replay.moments if not all(v.finite for v in m.variables))
        total = len(replay.last.variables)
        unfilled = data is not None and any(about.get("non_finite") for about in data.stats.get("x") or ())
        return Suspect(
            message=f"{len(lost)} of {total} weight arrays hold NaN while the loss looks fine",
            confidence="proven",
            location=setup.fit_location("weights become NaN"),
            evidence=gathered(
                Evidence(
                    measure="weight-arrays-not-finite",
                    value=len(lost),
                    of=total,
                    text=f"{', '.join(v.path for v in lost[:3])} hold NaN in the snapshot of step {step} and after; "
                    f"the loss was finite in all {len(curve.losses)} steps",
                ),
                loss_at_chance(skill),
            ),
            cures=(ImputeInputs(),) if unfilled else (),
            conclusion="NaN plus any update is NaN, so these weights do not come back",
            fix=Fix(title="find the first NaN: check the data, then logarithms and divisions", applicability="sketch"),
            leads_to=("dying-relu", "learning-rate-too-low", "no-signal"),
        )
